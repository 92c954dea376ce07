package signaling

import (
	"encoding/json"
	"slices"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/signaling/wire"
)

// maxUnsaid bounds the messages that one event brings; the rest are the oldest and are left out.
const maxUnsaid = 200

// say reads what somebody writes. What a seat that is not admitted says goes to its own thread with staff.
func say(a *actor, s *session, data json.RawMessage) (command, *wire.Error) {
	var d wire.Chat
	if err := decodeStrict(data, &d); err != nil {
		return command{}, badMessage(err)
	}
	thread := rooms.SeatID(d.Thread)
	if v, ok := a.room.Visit(s.who.Visit); ok && !s.isStaff() && thread == "" {
		if seat, ok := v.Seat(s.who.Seat); ok && seat.State != rooms.SeatAdmitted {
			thread = seat.ID
		}
	}
	return command{rooms.VisitID(d.Visit), rooms.Say{Text: d.Text, Thread: thread}}, nil
}

// chats is in which visits something was said, by their durable values.
type chats struct {
	all  map[rooms.VisitID]struct{}
	said map[rooms.VisitID]struct{} // of all, those with messages that staff have not been sent
}

func newChats() chats {
	return chats{all: map[rooms.VisitID]struct{}{}, said: map[rooms.VisitID]struct{}{}}
}

// note takes a visit's new durable value; the one before may be nil.
func (c *chats) note(was, is *rooms.Visit) {
	if is.LastMessage == 0 || was != nil && was.LastMessage == is.LastMessage {
		return
	}
	c.all[is.ID], c.said[is.ID] = struct{}{}, struct{}{}
}

func (c *chats) forget(id rooms.VisitID) {
	delete(c.all, id)
	delete(c.said, id)
}

// take answers in which visits something was said since the last time.
func (c *chats) take() map[rooms.VisitID]struct{} {
	said := c.said
	if len(said) > 0 {
		c.said = map[rooms.VisitID]struct{}{}
	}
	return said
}

// sendMessages gives a session the chat it has not seen, staff that of the given visits. Only durable messages are shown.
func (a *actor) sendMessages(s *session, said map[rooms.VisitID]struct{}) {
	if s.conn == nil {
		return
	}
	for _, id := range a.chatsOf(s, said) {
		if m := a.unsaid(s, id); len(m) > 0 {
			s.conn.out.addMessages(m)
		}
	}
}

// chatsOf are the visits of which a session reads messages: a seat's own; of staff those given in which there are new ones.
func (a *actor) chatsOf(s *session, among map[rooms.VisitID]struct{}) []rooms.VisitID {
	if !s.isStaff() {
		return []rooms.VisitID{s.who.Visit}
	}
	var ids []rooms.VisitID
	for id := range among {
		if v, ok := a.durable[id]; ok && v.LastMessage > s.said[id] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// unsaid are the messages of a visit that a session may read and has not been sent, and counts them as sent.
func (a *actor) unsaid(s *session, id rooms.VisitID) []wire.Message {
	v, ok := a.durable[id]
	if !ok {
		return nil
	}
	me := a.seatOf(s, v)
	var out []wire.Message
	unsent, _ := slices.BinarySearchFunc(v.Chat, s.said[id]+1, func(m rooms.Message, n int) int { return m.N - n })
	for i := unsent; i < len(v.Chat); i++ {
		if m := &v.Chat[i]; a.mayRead(s, me, m) {
			out = append(out, wireMessage(v.ID, m, me, s.who.Staff))
		}
	}
	s.said[id] = max(s.said[id], v.LastMessage)
	return out[max(0, len(out)-maxUnsaid):]
}

// mayRead tells whether a message is for a session: a thread is for its seat and all staff, the rest for those who
// were in the visit when it was said.
func (a *actor) mayRead(s *session, me *rooms.Seat, m *rooms.Message) bool {
	if m.Thread != "" {
		return s.isStaff() || m.Thread == s.who.Seat
	}
	return me != nil && slices.Contains(m.To, me.ID) || s.isStaff() && m.FromStaff == s.who.Staff
}

func wireMessage(visit rooms.VisitID, m *rooms.Message, me *rooms.Seat, staff rooms.StaffID) wire.Message {
	from := string(m.From)
	if from == "" {
		from = string(m.FromStaff)
	}
	return wire.Message{
		Visit: string(visit), N: m.N, From: from, Name: m.Name, Role: wire.Role(m.Role), At: ms(m.At), Text: m.Text,
		Thread: string(m.Thread),
		Mine:   me != nil && m.From == me.ID && m.From != "" || staff != "" && m.FromStaff == staff,
	}
}
