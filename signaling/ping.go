package signaling

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
)

// pingStart is how clients that write compact JSON begin a ping; its end is empty data or none.
var (
	pingStart = []byte(`{"t":"` + string(wire.TypePing) + `","id":`)
	pingEnds  = [][]byte{[]byte(`,"d":{}}`), []byte(`}`)}
)

// pingID is the id of a ping that is written as most are, false for anything else. Of what happens on the sockets of those who
// wait nearly all is pings, and package json takes more time and stack for one than all the rest of it.
func pingID(data []byte) (uint64, bool) {
	rest, ok := bytes.CutPrefix(data, pingStart)
	if !ok {
		return 0, false
	}
	for _, end := range pingEnds {
		digits, ok := bytes.CutSuffix(rest, end)
		if !ok || len(digits) == 0 || digits[0] < '1' || digits[0] > '9' { // no sign, no leading zero, no 0
			continue
		}
		id, err := strconv.ParseUint(string(digits), 10, 64)
		return id, err == nil
	}
	return 0, false
}

// pongText is a wire.Reply with a wire.Pong.
func pongText(id uint64, now int64) []byte {
	return fmt.Appendf(nil, `{"re":%d,"d":{"now":%d}}`, id, now)
}

// handlePing answers at once, and waits from now on as long as the ping says that the next one may take.
func (c *conn) handlePing(req wire.Request) {
	var ping wire.Ping
	if len(req.D) > 0 {
		if err := decodeStrict(req.D, &ping); err != nil {
			c.out.answerErr(req.ID, &wire.Error{Code: wire.CodeBadMessage, Msg: "ping has nextMs or nothing"})
			return
		}
	}
	if ping.NextMS < 0 || ping.NextMS > wire.MaxPingMS {
		c.out.answerErr(req.ID, &wire.Error{Code: wire.CodeBadValue, Msg: "the pace of pings is out of bounds"})
		return
	}
	c.silence = time.Duration(max(wire.PingTimeoutMS, ping.NextMS+wire.PongTimeoutMS)) * time.Millisecond
	if c.out.pong(req.ID) {
		c.write()
	}
}
