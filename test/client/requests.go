package client

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
)

// RetryAfter is how long a client waits before it repeats a request that was answered with retry.
const RetryAfter = time.Second

// commands are the requests that change the visit and so outlive a connection.
var commands = []wire.Type{
	wire.TypeCheckIn, wire.TypeLeave, wire.TypeChat, wire.TypeAdmit, wire.TypeJoin, wire.TypeHold, wire.TypeResume,
	wire.TypeReturn, wire.TypeRemove, wire.TypeHandOver, wire.TypeInvite, wire.TypeLock, wire.TypeMove, wire.TypeEnd,
	wire.TypeNoShow, wire.TypeCancel, wire.TypeTransfer,
}

// call is a request that waits for its answer.
type call struct {
	id      uint64
	command bool
	ping    bool
	frame   []byte
	answer  chan answer // holds one; whoever takes the call out of Client.calls fills it
}

type answer struct {
	data json.RawMessage
	err  error
}

// Do sends a request and waits for its answer. A command survives reconnects, and is repeated with its id
// as long as the server says retry; if ctx ends first it stays open and is repeated at the next Connect.
// Other requests fail with ErrDisconnected when the connection ends.
func (c *Client) Do(ctx context.Context, t wire.Type, d any) (json.RawMessage, error) {
	call, err := c.start(t, d)
	if err != nil {
		return nil, err
	}
	for {
		data, err := call.wait(ctx)
		if refusal := (*Error)(nil); !errors.As(err, &refusal) || !refusal.Retry {
			return data, err
		}
		select {
		case <-time.After(RetryAfter):
			c.again(call)
		case <-ctx.Done():
			return nil, err
		}
	}
}

// Once is Do without repeating: an answer that says retry is returned, and the command given up.
func (c *Client) Once(ctx context.Context, t wire.Type, d any) (json.RawMessage, error) {
	call, err := c.start(t, d)
	if err != nil {
		return nil, err
	}
	return call.wait(ctx)
}

func (call *call) wait(ctx context.Context) (json.RawMessage, error) {
	select {
	case a := <-call.answer:
		return a.data, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// start gives a request its id and sends it; a command may wait for the next connection.
func (c *Client) start(t wire.Type, d any) (*call, error) {
	c.out.Lock()
	defer c.out.Unlock()
	frame, err := encode(t, c.lastID+1, d)
	if err != nil {
		return nil, err
	}
	call := &call{id: c.lastID + 1, command: slices.Contains(commands, t), ping: t == wire.TypePing, frame: frame, answer: make(chan answer, 1)}
	c.mu.Lock()
	cn := c.conn
	switch {
	case cn == nil && !call.command:
		err = ErrDisconnected
	case len(c.calls) >= wire.MaxUnanswered:
		err = ErrUnanswered
	default:
		c.lastID++
		c.calls[call.id] = call
	}
	c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if cn != nil {
		cn.write(frame)
	}
	return call, nil
}

// again sends a request that was answered with retry once more, with its id.
func (c *Client) again(call *call) {
	c.out.Lock()
	defer c.out.Unlock()
	c.mu.Lock()
	cn := c.conn
	c.calls[call.id] = call
	c.mu.Unlock()
	if cn != nil {
		cn.write(call.frame)
	}
}

func encode(t wire.Type, id uint64, d any) ([]byte, error) {
	data, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	return json.Marshal(wire.Request{T: t, ID: id, D: data})
}

func (c *Client) do(ctx context.Context, t wire.Type, d any) error {
	_, err := c.Do(ctx, t, d)
	return err
}

// CheckIn joins the waiting room.
func (c *Client) CheckIn(ctx context.Context) error {
	return c.do(ctx, wire.TypeCheckIn, wire.Empty{})
}

// Leave gives the seat up.
func (c *Client) Leave(ctx context.Context) error { return c.do(ctx, wire.TypeLeave, wire.Empty{}) }

// Devices says what microphone and camera do.
func (c *Client) Devices(ctx context.Context, m wire.Media) error {
	return c.do(ctx, wire.TypeMedia, m)
}

// Chat says something and returns the message's number.
func (c *Client) Chat(ctx context.Context, chat wire.Chat) (int, error) {
	var said wire.Said
	data, err := c.Do(ctx, wire.TypeChat, chat)
	if err == nil {
		err = json.Unmarshal(data, &said)
	}
	return said.N, err
}

// Prepare opens or closes the identity card of a waiting person.
func (c *Client) Prepare(ctx context.Context, visit, seat string, on bool) error {
	return c.do(ctx, wire.TypePrepare, wire.Prepare{Visit: visit, Seat: seat, On: on})
}

// Admit lets a waiting person in.
func (c *Client) Admit(ctx context.Context, visit, seat string) error {
	return c.do(ctx, wire.TypeAdmit, wire.Target{Visit: visit, Seat: seat})
}

// Join takes a seat beside a colleague.
func (c *Client) Join(ctx context.Context, visit string) error {
	return c.do(ctx, wire.TypeJoin, wire.Target{Visit: visit})
}

// Hold parts a person from the others; without a seat everybody but staff.
func (c *Client) Hold(ctx context.Context, visit, seat string) error {
	return c.do(ctx, wire.TypeHold, wire.Target{Visit: visit, Seat: seat})
}

// Resume ends a hold; without a seat every hold.
func (c *Client) Resume(ctx context.Context, visit, seat string) error {
	return c.do(ctx, wire.TypeResume, wire.Target{Visit: visit, Seat: seat})
}

// Return sends a person back to the waiting room.
func (c *Client) Return(ctx context.Context, visit, seat string) error {
	return c.do(ctx, wire.TypeReturn, wire.Target{Visit: visit, Seat: seat})
}

// Remove sends a person out; their link is dead.
func (c *Client) Remove(ctx context.Context, visit, seat string) error {
	return c.do(ctx, wire.TypeRemove, wire.Target{Visit: visit, Seat: seat})
}

// HandOver gives the visit to a colleague.
func (c *Client) HandOver(ctx context.Context, visit, staff string) error {
	return c.do(ctx, wire.TypeHandOver, wire.HandOver{Visit: visit, To: staff})
}

// Invite makes a seat for a guest and returns its link.
func (c *Client) Invite(ctx context.Context, invite wire.Invite) (wire.Invited, error) {
	var invited wire.Invited
	data, err := c.Do(ctx, wire.TypeInvite, invite)
	if err == nil {
		err = json.Unmarshal(data, &invited)
	}
	return invited, err
}

// Lock closes or opens the visit for new guests.
func (c *Client) Lock(ctx context.Context, visit string, on bool) error {
	return c.do(ctx, wire.TypeLock, wire.Lock{Visit: visit, On: on})
}

// Move puts a waiting visit before another; before empty: to the end.
func (c *Client) Move(ctx context.Context, visit, before, reason string) error {
	return c.do(ctx, wire.TypeMove, wire.Move{Visit: visit, Before: before, Reason: reason})
}

// Rooms are the clinic's waiting rooms but for the one this page works in.
func (c *Client) Rooms(ctx context.Context) ([]wire.RoomInfo, error) {
	data, err := c.Do(ctx, wire.TypeRooms, wire.Empty{})
	if err != nil {
		return nil, err
	}
	var answer wire.Rooms
	err = json.Unmarshal(data, &answer)
	return answer.Rooms, err
}

// Transfer brings a visit to another waiting room; the reason may be empty.
func (c *Client) Transfer(ctx context.Context, visit, room, reason string) error {
	return c.do(ctx, wire.TypeTransfer, wire.Transfer{Visit: visit, Room: room, Reason: reason})
}

// End ends the visit for everybody.
func (c *Client) End(ctx context.Context, visit string, d wire.Disposition) error {
	return c.do(ctx, wire.TypeEnd, wire.End{Visit: visit, Disposition: d})
}

// NoShow says that the patient never came.
func (c *Client) NoShow(ctx context.Context, visit string) error {
	return c.do(ctx, wire.TypeNoShow, wire.Target{Visit: visit})
}

// Cancel calls a visit off before it began.
func (c *Client) Cancel(ctx context.Context, visit, reason string) error {
	return c.do(ctx, wire.TypeCancel, wire.Cancel{Visit: visit, Reason: reason})
}
