package client

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/anteroom/anteroom/signaling/wire"
)

// state is what the server said last. Client.mu guards it.
type state struct {
	view     wire.View
	welcomed bool                // view is set
	servers  []wire.ICEServer    // of the newest welcome
	rows     map[string]wire.Row // by seat
	list     uint64              // version of the newest list event
	messages []wire.Message      // oldest first
	seen     map[string]int      // by visit: the highest number among messages
}

func newState() state {
	return state{rows: make(map[string]wire.Row), seen: make(map[string]int)}
}

func (s *state) takeList(list wire.List) {
	before := s.visits()
	defer func() { s.forget(before) }()
	if list.Whole {
		clear(s.rows)
	}
	for _, row := range list.Rows {
		s.rows[row.Seat] = row
	}
	for _, seat := range list.Removed {
		delete(s.rows, seat)
	}
	s.list = list.Version
}

// visits are those that have rows.
func (s *state) visits() map[string]bool {
	all := make(map[string]bool)
	for _, row := range s.rows {
		all[row.Visit] = true
	}
	return all
}

// forget lets go of what was written in visits that had rows and have none any more: they are erased, and hello need not cite them.
func (s *state) forget(had map[string]bool) {
	there := s.visits()
	gone := func(visit string) bool { return had[visit] && !there[visit] }
	s.messages = slices.DeleteFunc(s.messages, func(m wire.Message) bool { return gone(m.Visit) })
	maps.DeleteFunc(s.seen, func(visit string, _ int) bool { return gone(visit) })
}

// takeMessages adds those that were not seen yet.
func (s *state) takeMessages(messages []wire.Message) {
	for _, m := range messages {
		known := func(k wire.Message) bool { return k.Visit == m.Visit && k.N == m.N }
		if slices.ContainsFunc(s.messages, known) {
			continue
		}
		s.messages = append(s.messages, m)
		s.seen[m.Visit] = max(s.seen[m.Visit], m.N)
	}
}

// queue is the rows in the order in which staff see them.
func (s *state) queue() []wire.Row {
	return slices.SortedFunc(maps.Values(s.rows), func(a, b wire.Row) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.WaitingSince, b.WaitingSince), cmp.Compare(a.Seat, b.Seat))
	})
}

// cited is what hello cites of the view.
func (s *state) cited() *wire.Seen {
	visit := s.view.Visit
	if visit == nil || visit.Version == 0 {
		return nil
	}
	return &wire.Seen{Epoch: s.view.Epoch, Visit: visit.ID, Version: visit.Version}
}

// View is the newest view; the zero View before the first welcome.
func (c *Client) View() wire.View {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.view
}

// WaitView waits for a view that is as wanted, and returns it.
func (c *Client) WaitView(ctx context.Context, wanted func(wire.View) bool) (wire.View, error) {
	var view wire.View
	err := await(ctx, &c.mu, &c.changed, func() bool {
		view = c.state.view
		return c.state.welcomed && wanted(view)
	})
	return view, err
}

// List is the waiting room in its order; staff only.
func (c *Client) List() []wire.Row {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.queue()
}

// WaitList waits until the waiting room's rows, in their order, are as wanted, and returns them.
func (c *Client) WaitList(ctx context.Context, wanted func([]wire.Row) bool) ([]wire.Row, error) {
	var rows []wire.Row
	err := await(ctx, &c.mu, &c.changed, func() bool {
		rows = c.state.queue()
		return wanted(rows)
	})
	return rows, err
}

// Messages are all chat messages this page was told, in the order of their coming.
func (c *Client) Messages() []wire.Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.state.messages)
}

// WaitMessage waits for a chat message with this text and returns it.
func (c *Client) WaitMessage(ctx context.Context, text string) (wire.Message, error) {
	var found wire.Message
	err := await(ctx, &c.mu, &c.changed, func() bool {
		i := slices.IndexFunc(c.state.messages, func(m wire.Message) bool { return m.Text == text })
		if i >= 0 {
			found = c.state.messages[i]
		}
		return i >= 0
	})
	return found, err
}
