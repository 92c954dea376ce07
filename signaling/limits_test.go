package signaling

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

func TestWire_HasTheRoomsCodesAndBounds(t *testing.T) {
	codes := map[*rooms.Error]wire.Code{
		rooms.ErrForbidden: wire.CodeForbidden, rooms.ErrNoVisit: wire.CodeNoVisit, rooms.ErrNoSeat: wire.CodeNoSeat,
		rooms.ErrNotWaiting: wire.CodeNotWaiting, rooms.ErrAlreadyAdmitted: wire.CodeAlreadyAdmitted,
		rooms.ErrInOtherVisit: wire.CodeInOtherVisit, rooms.ErrNotAdmitted: wire.CodeNotAdmitted,
		rooms.ErrNotHeld: wire.CodeNotHeld, rooms.ErrLocked: wire.CodeLocked, rooms.ErrFull: wire.CodeFull,
		rooms.ErrOver: wire.CodeVisitOver, rooms.ErrRemoved: wire.CodeRemoved, rooms.ErrBadValue: wire.CodeBadValue,
		rooms.ErrStale: wire.CodeStaleCommand, rooms.ErrMoving: wire.CodeRetry,
	}
	for refused, want := range codes {
		if got := wireError(refused).Code; got != want {
			t.Errorf("%v is %q on the wire, not %q", refused, got, want)
		}
	}
	for name, pair := range map[string][2]int{
		"a message": {wire.MaxChatRunes, rooms.MaxText}, "a name": {wire.MaxNameRunes, rooms.MaxName},
		"seats": {wire.MaxSeatsPerVisit, rooms.MaxSeats},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %d on the wire, %d in the rooms", name, pair[0], pair[1])
		}
	}
}

func TestProtocol_LimitsAreThoseInForce(t *testing.T) {
	text, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, limits, _ := strings.Cut(string(text), "\n## Limits\n")
	limits, _, _ = strings.Cut(limits, "\n## ")
	rows := strings.Split(limits, "\n")
	seconds := func(ms int) string { return fmt.Sprintf("%g s", float64(ms)/1000) }
	for about, bounds := range map[string][]string{
		"a message from a client": {fmt.Sprintf("%d KiB", wire.MaxMessageBytes>>10)},
		"upgrade to `hello`":      {seconds(wire.HelloTimeoutMS)},
		"silence":                 {seconds(wire.PingTimeoutMS), seconds(wire.PingEveryMS)},
		"requests":                {fmt.Sprintf("%d a second", requestRate), fmt.Sprintf("bursts of %d;", requestBurst), fmt.Sprintf("%d unanswered", wire.MaxUnanswered)},
		"events that wait":        {fmt.Sprintf("%d messages", maxQueuedMessages)},
		"replies that wait":       {fmt.Sprint(maxQueuedReplies)},
		"a chat message":          {thousands(rooms.MaxText) + " characters", thousands(rooms.MaxMessages) + " messages"},
		"chat that comes again":   {fmt.Sprintf("newest %d messages", maxUnsaid)},
		"a guest's name":          {fmt.Sprintf("%d characters", rooms.MaxName)},
		"the reason of":           {fmt.Sprintf("%d characters", rooms.MaxLine)},
		"transfers of a visit":    {fmt.Sprint(rooms.MaxTransfers)},
		"seats of a visit":        {fmt.Sprintf("%d by link", rooms.MaxSeats), fmt.Sprintf("%d of staff", rooms.MaxStaff)},
		"slots of a peer":         {fmt.Sprint(maxSlots)},
		"peers of a server, by default; sockets of a": {thousands(defaultSockets)},
	} {
		i := slices.IndexFunc(rows, func(row string) bool { return strings.HasPrefix(row, "| "+about) })
		if i < 0 {
			t.Errorf("no row on %s", about)
			continue
		}
		for _, bound := range bounds {
			if !strings.Contains(rows[i], bound) {
				t.Errorf("%s: in force is %q, the document says %s", about, bound, rows[i])
			}
		}
	}
}

func thousands(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }
