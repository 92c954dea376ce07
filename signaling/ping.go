package signaling

import (
	"bytes"
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
func pongText(id uint64, now int64, next int) []byte {
	text := append(make([]byte, 0, 64), `{"re":`...)
	text = strconv.AppendUint(text, id, 10)
	text = append(text, `,"d":{"now":`...)
	text = strconv.AppendInt(text, now, 10)
	if next != 0 {
		text = append(text, `,"nextMs":`...)
		text = strconv.AppendInt(text, int64(next), 10)
	}
	return append(text, "}}"...)
}

// A beat is a moment in each period of pings at which those of the sockets that belong to it come. Few sockets have one beat. More
// have several, so that a request never waits behind more pings than one beat has.
const (
	beatSockets = 1000
	mostBeats   = 20
	beatNearMS  = 15  // from its beat a ping need not come nearer: that much varies by itself
	beatFarMS   = 250 // a ping that was on its beat and comes farther from it has lost it
)

// beatOf is the beat of a socket, in milliseconds from the beginning of each period. number is the socket's, and sockets is how many
// there are.
func beatOf(number uint64, sockets int) int64 {
	beats := uint64(min(max((sockets+beatSockets-1)/beatSockets, 1), mostBeats)) //nolint:gosec // 1 to mostBeats
	return int64(number%beats) * wire.PingEveryMS / int64(beats)                 //nolint:gosec // below mostBeats
}

// rhythm brings the pings of one socket to its beat, in two steps: what a message takes there and back is seen after the first.
type rhythm uint8

const (
	offBeat rhythm = iota
	shifted        // the newest pong said when to ping
	onBeat
)

// next is when a socket should ping next, in milliseconds, if one came now; 0: a period after this one.
func (r *rhythm) next(now time.Time, beat int64) int {
	after := (now.UnixMilli() - beat) % wire.PingEveryMS
	if after > wire.PingEveryMS/2 {
		after -= wire.PingEveryMS
	}
	far := max(after, -after)
	switch {
	case *r == shifted && beatNearMS < after && after <= beatFarMS:
		*r = onBeat
		return int(wire.PingEveryMS - 2*after)
	case far <= beatNearMS, *r == onBeat && far <= beatFarMS:
		*r = onBeat
		return 0
	case after < 0:
		*r = shifted
		return int(-after)
	default:
		*r = shifted
		return int(wire.PingEveryMS - after)
	}
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
	now, next := c.hub.now(), 0
	if ping.NextMS == 0 {
		next = c.rhythm.next(now, beatOf(c.number, c.hub.Sockets()))
	}
	if c.out.pong(req.ID, now, next) {
		c.write()
	}
}
