package rooms

import "slices"

// Say adds a message, to everybody admitted or to the thread between one seat and staff. A seat says
// to all only while admitted, and to its own thread while it is there at all; staff of the room say to both.
type Say struct {
	Text   string `json:"text"` // 1 to MaxText characters
	Thread SeatID `json:"thread,omitempty"`
}

// Name of the action.
func (Say) Name() string { return ActSay }

func (a Say) apply(c *change) error {
	if !text(a.Text, 1, MaxText) {
		return ErrBadValue.with("text")
	}
	if len(c.old.Chat) >= MaxMessages {
		return ErrFull.with("messages")
	}
	m := Message{
		N: c.old.LastMessage + 1, FromStaff: c.who.staff, Name: c.who.name, Role: c.who.role,
		At: c.now, Text: a.Text, Thread: a.Thread,
	}
	if s := c.who.seat; s != nil {
		m.From = s.ID
	}
	if err := c.maySay(a.Thread); err != nil {
		return err
	}
	if a.Thread == "" {
		m.To = c.old.admitted()
	}
	m.Client, m.ID = c.client, c.id
	v := c.edit()
	v.Chat = append(slices.Clip(v.Chat), m)
	v.LastMessage, c.message = m.N, m.N
	return nil
}

// said answers what recall does for a message. The chat itself remembers all there were, so that one is never too late: it
// undoes nothing that came before it, and somebody wrote it.
func said(chat []Message, client string, id uint64) *Applied {
	for i := range chat {
		if chat[i].Client == client && chat[i].ID == id {
			return &Applied{Client: client, ID: id, Message: chat[i].N}
		}
	}
	return nil
}

func (c *change) maySay(thread SeatID) error {
	if c.who.staff != "" {
		if thread == "" {
			return nil
		}
		_, err := c.target(thread)
		return err
	}
	s := c.who.seat
	switch {
	case s.State == SeatAdmitted && thread == "":
		return nil
	case thread != s.ID && thread != "":
		return ErrForbidden.with("a thread of somebody else")
	case thread == "" || s.State == SeatExpected || s.State == SeatLeft:
		return ErrNotAdmitted
	}
	return nil
}

// admitted are the seats that hear each other.
func (v *Visit) admitted() []SeatID {
	var ids []SeatID
	for i := range v.Seats {
		if v.Seats[i].admitted() {
			ids = append(ids, v.Seats[i].ID)
		}
	}
	return ids
}
