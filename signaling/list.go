package signaling

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// maxTombstones bounds the removed rows that are remembered; a client that is further behind gets the whole list.
const maxTombstones = 1000

// list is the waiting room as staff see it: rows by seat, each with the version of its last change. A viewer has
// one cursor and gets the rows newer than it.
type list struct {
	rows    map[rooms.SeatID]listRow
	removed []tombstone // oldest first
	version uint64
	floor   uint64 // cursors below it get the whole list
	touched map[rooms.VisitID]struct{}
	behind  bool // somebody has not got the newest version
	at      time.Time
}

type listRow struct {
	row     wire.Row
	visit   rooms.VisitID
	version uint64
}

type tombstone struct {
	seat    rooms.SeatID
	version uint64
}

// newList begins with a version that no earlier owner has reached, so that its cursors are told apart.
func newList(epoch int64) list {
	start := uint64(epoch) * 1000 //nolint:gosec // milliseconds since 1970
	return list{
		rows: map[rooms.SeatID]listRow{}, touched: map[rooms.VisitID]struct{}{}, version: start, floor: start,
	}
}

func (l *list) touch(id rooms.VisitID) { l.touched[id] = struct{}{} }

func (l *list) dirty() bool { return len(l.touched) > 0 || l.behind }

// flushList sends what has changed to all staff, at most as often as the protocol says. Whoever has not taken the
// last one yet is left for the next time. What several lack alike is encoded once.
func (a *actor) flushList(now time.Time) {
	if !a.list.dirty() || now.Sub(a.list.at) < wire.ListEveryMS*time.Millisecond {
		return
	}
	a.list.update(a)
	a.list.at = now
	a.list.behind = false
	encoded := map[uint64]json.RawMessage{}
	for _, s := range a.atDesk {
		if s.conn == nil || s.listAt == a.list.version {
			continue
		}
		data, ok := encoded[s.listAt]
		if !ok {
			data = encode(a.list.since(s.listAt))
			encoded[s.listAt] = data
		}
		if s.conn.out.setList(data) {
			s.listAt = a.list.version
		} else {
			a.list.behind = true
		}
	}
}

// update brings the rows of touched visits up to date.
func (l *list) update(a *actor) {
	for id := range l.touched {
		v, ok := a.room.Visit(id)
		if ok {
			v = rooms.Shown(v, a.durable[id])
		}
		l.updateVisit(a, id, v)
	}
	clear(l.touched)
}

func (l *list) updateVisit(a *actor, id rooms.VisitID, v *rooms.Visit) {
	has := map[rooms.SeatID]bool{}
	if v != nil {
		for i := range v.Seats {
			if seat := &v.Seats[i]; seat.Staff == "" {
				has[seat.ID] = true
				l.put(seat.ID, id, a.rowOf(v, seat))
			}
		}
	}
	for seat, r := range l.rows {
		if r.visit == id && !has[seat] {
			delete(l.rows, seat)
			l.version++
			l.removed = append(l.removed, tombstone{seat, l.version})
		}
	}
	if n := len(l.removed) - maxTombstones; n > 0 {
		l.floor = l.removed[n-1].version
		l.removed = slices.Delete(l.removed, 0, n)
	}
}

func (l *list) put(seat rooms.SeatID, visit rooms.VisitID, row wire.Row) {
	if old, ok := l.rows[seat]; ok && reflect.DeepEqual(old.row, row) {
		return
	}
	l.version++
	l.rows[seat] = listRow{row: row, visit: visit, version: l.version}
}

// since is what somebody with a cursor lacks.
func (l *list) since(cursor uint64) wire.List {
	out := wire.List{
		Version: l.version, Whole: cursor < l.floor || cursor > l.version, Rows: []wire.Row{}, Removed: []string{},
	}
	for _, r := range l.rows {
		if out.Whole || r.version > cursor {
			out.Rows = append(out.Rows, r.row)
		}
	}
	slices.SortFunc(out.Rows, func(x, y wire.Row) int {
		return cmp.Or(cmp.Compare(x.Rank, y.Rank), cmp.Compare(x.WaitingSince, y.WaitingSince), cmp.Compare(x.Seat, y.Seat))
	})
	if !out.Whole {
		for _, t := range l.removed {
			if _, back := l.rows[t.seat]; !back && t.version > cursor {
				out.Removed = append(out.Removed, string(t.seat))
			}
		}
	}
	return out
}

// rowOf is one patient or guest as staff see them.
func (a *actor) rowOf(v *rooms.Visit, seat *rooms.Seat) wire.Row {
	row := wire.Row{
		Seat: string(seat.ID), Visit: string(v.ID), Role: wire.Role(seat.Role), Name: seat.Name,
		BirthDate: seat.BirthDate, State: wire.SeatState(seat.State), Phase: wire.Phase(v.Phase),
		ArrivedAt: ms(seat.ArrivedAt), ScheduledAt: ms(v.ScheduledAt), EndedAt: ms(v.EndedAt),
		LengthMin: int(v.Length / time.Minute), Reason: v.Reason, Language: seat.Language, Interpreter: seat.Interpreter,
		Media: wire.Media{Audio: wire.MediaOff, Video: wire.MediaOff},
		With:  a.with(v), Locked: v.Locked, MovedReason: v.MovedReason, Disposition: wire.Disposition(v.Disposition),
	}
	if seat.State == rooms.SeatWaiting {
		row.Rank, row.WaitingSince = v.QueueRank()/int64(time.Microsecond), ms(seat.WaitingSince)
	}
	if p := v.Patient(); p != nil && seat.Role != rooms.Patient {
		row.PatientName = p.Name
	}
	s := a.sessionAt(seat)
	row.Link = link(s, seat)
	if s != nil {
		row.Media = s.media
		row.Ready = s.peer != nil && s.peer.ready
	}
	return row
}

func sortStaff(staff []wire.Staff) {
	slices.SortFunc(staff, func(x, y wire.Staff) int {
		return cmp.Or(strings.Compare(x.Name, y.Name), strings.Compare(x.ID, y.ID))
	})
}
