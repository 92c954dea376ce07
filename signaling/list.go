package signaling

import (
	"encoding/json"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// maxTombstones bounds the removed rows that are remembered; a client that is further behind gets the whole list.
const maxTombstones = 1000

// minChanges is how many changes are remembered, beside two for each row, before those that are over are forgotten.
const minChanges = 64

// list is the waiting room as staff see it: rows by seat, each with the version of its last change. A viewer has
// one cursor and gets the rows newer than it. What that costs grows with what is newer, not with what is there.
type list struct {
	rows    map[rooms.SeatID]*listRow
	seats   map[rooms.VisitID][]rooms.SeatID // which of rows are a visit's
	changes []*listRow                       // oldest first; some are replaced or gone by now
	removed []tombstone                      // oldest first
	version uint64
	floor   uint64 // cursors below it get the whole list
	touched map[rooms.VisitID]struct{}
	behind  bool // somebody has not got the newest version
	at      time.Time
}

// listRow is never changed but for over, so that it can be encoded elsewhere.
type listRow struct {
	row     wire.Row
	version uint64
	over    bool // replaced or gone; the actor's
}

type tombstone struct {
	seat    rooms.SeatID
	version uint64
}

// newList begins with a version that no earlier owner has reached, so that its cursors are told apart.
func newList(epoch int64) list {
	l := list{rows: map[rooms.SeatID]*listRow{}, seats: map[rooms.VisitID][]rooms.SeatID{}, touched: map[rooms.VisitID]struct{}{}}
	l.begin(epoch)
	return l
}

// begin sets the version of a list that nobody has seen.
func (l *list) begin(epoch int64) {
	l.version = uint64(epoch) * 1000 //nolint:gosec // milliseconds since 1970
	l.floor = l.version
}

func (l *list) touch(id rooms.VisitID) { l.touched[id] = struct{}{} }

func (l *list) dirty() bool { return len(l.touched) > 0 || l.behind }

// flushList sends what has changed to all staff, at most as often as the protocol says. Whoever has not taken the
// last one yet is left for the next time. What several lack alike is encoded once, by the first of their writers.
func (a *actor) flushList(now time.Time) {
	if !a.list.dirty() || now.Sub(a.list.at) < wire.ListEveryMS*time.Millisecond {
		return
	}
	a.list.at = now
	a.list.update(a)
	a.list.behind = false
	encoded := map[uint64]func() json.RawMessage{}
	for _, s := range a.atDesk {
		if s.conn == nil || s.listAt == a.list.version {
			continue
		}
		data, ok := encoded[s.listAt]
		if !ok {
			data = sync.OnceValue(a.list.since(s.listAt).encode)
			encoded[s.listAt] = data
		}
		if s.conn.out.setList(data) {
			s.listAt = a.list.version
		} else {
			a.list.behind = true
		}
	}
}

// update brings the rows of touched visits up to date. Whoever has a cursor is behind then, also if it was called for
// somebody who has just come.
func (l *list) update(a *actor) {
	before := l.version
	defer func() { l.behind = l.behind || l.version != before }()
	for id := range l.touched {
		delete(l.touched, id)
		l.updateVisit(a, id)
	}
}

// updateVisit leaves a visit's rows as they were if it panics over them.
func (l *list) updateVisit(a *actor, id rooms.VisitID) {
	defer a.recovered()
	v, ok := a.room.Visit(id)
	if ok {
		v = rooms.Shown(v, a.durable[id])
	}
	var seats []rooms.SeatID
	if v != nil && v.Phase != rooms.PhaseMoved {
		for i := range v.Seats {
			if seat := &v.Seats[i]; seat.Staff == "" {
				seats = append(seats, seat.ID)
				l.put(seat.ID, a.rowOf(v, seat))
			}
		}
	}
	before := l.seats[id]
	if len(seats) > 0 {
		l.seats[id] = seats
	} else {
		delete(l.seats, id)
	}
	for _, seat := range before {
		if !slices.Contains(seats, seat) && l.rows[seat].row.Visit == string(id) { // else it has come back as another visit
			l.remove(seat)
		}
	}
}

func (l *list) put(seat rooms.SeatID, row wire.Row) {
	old, ok := l.rows[seat]
	if ok && reflect.DeepEqual(old.row, row) {
		return
	}
	if ok {
		old.over = true
	}
	l.version++
	r := &listRow{row: row, version: l.version}
	l.rows[seat] = r
	if l.changes = append(l.changes, r); len(l.changes) > 2*len(l.rows)+minChanges {
		l.changes = slices.DeleteFunc(l.changes, func(r *listRow) bool { return r.over })
	}
}

func (l *list) remove(seat rooms.SeatID) {
	l.rows[seat].over = true
	delete(l.rows, seat)
	l.version++
	l.removed = append(l.removed, tombstone{seat, l.version})
	if n := len(l.removed) - maxTombstones; n > 0 {
		l.floor = l.removed[n-1].version
		l.removed = slices.Delete(l.removed, 0, n)
	}
}

// news is what somebody with a cursor lacks.
type news struct {
	version uint64
	whole   bool
	rows    []*listRow // in the order of their last changes
	removed []string
}

// since is cheap even for the whole list, because it copies and encodes nothing.
func (l *list) since(cursor uint64) news {
	out := news{version: l.version, whole: cursor < l.floor || cursor > l.version, removed: []string{}}
	if out.whole {
		out.rows = make([]*listRow, 0, len(l.rows))
	}
	for _, r := range slices.Backward(l.changes) {
		if !out.whole && r.version <= cursor {
			break
		}
		if !r.over {
			out.rows = append(out.rows, r)
		}
	}
	slices.Reverse(out.rows)
	if out.whole {
		return out
	}
	for _, t := range slices.Backward(l.removed) {
		if t.version <= cursor {
			break
		}
		if _, back := l.rows[t.seat]; !back {
			out.removed = append(out.removed, string(t.seat))
		}
	}
	return out
}

// list is for the wire. Any goroutine may call it.
func (n news) list() wire.List {
	l := wire.List{Version: n.version, Whole: n.whole, Rows: make([]wire.Row, len(n.rows)), Removed: n.removed}
	for i, r := range n.rows {
		l.Rows[i] = r.row
	}
	return l
}

func (n news) encode() json.RawMessage { return encode(n.list()) }

// rowOf is one patient or guest as staff see them.
func (a *actor) rowOf(v *rooms.Visit, seat *rooms.Seat) wire.Row {
	row := wire.Row{
		Seat: string(seat.ID), Visit: string(v.ID), Role: wire.Role(seat.Role), Name: seat.Name,
		BirthDate: seat.BirthDate, State: wire.SeatState(seat.State), Phase: wire.Phase(v.Phase),
		ArrivedAt: ms(seat.ArrivedAt), ScheduledAt: ms(v.ScheduledAt), EndedAt: ms(v.EndedAt),
		LengthMin: int(v.Length / time.Minute), Reason: v.Reason, Language: seat.Language, Interpreter: seat.Interpreter,
		Media: wire.Media{Audio: wire.MediaOff, Video: wire.MediaOff},
		With:  a.with(v), Locked: v.Locked, MovedReason: v.MovedReason, Moving: v.Moving(), Disposition: wire.Disposition(v.Disposition),
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
