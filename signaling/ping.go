package signaling

import (
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
)

// handlePing answers at once, and waits from now on as long as the ping says that the next one may take.
func (c *conn) handlePing(req wire.Request) {
	var ping wire.Ping
	switch err := decodeStrict(req.D, &ping); {
	case err != nil:
		c.out.answerErr(req.ID, &wire.Error{Code: wire.CodeBadMessage, Msg: "ping has nextMs or nothing"})
		return
	case ping.NextMS < 0 || ping.NextMS > wire.MaxPingMS:
		c.out.answerErr(req.ID, &wire.Error{Code: wire.CodeBadValue, Msg: "the pace of pings is out of bounds"})
		return
	}
	c.silence = time.Duration(max(wire.PingTimeoutMS, ping.NextMS+wire.PongTimeoutMS)) * time.Millisecond
	c.out.answer(req.ID, wire.Pong{Now: time.Now().UnixMilli()})
}
