package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store"
	"github.com/anteroom/anteroom/signaling"
)

// maxTries is how often a command looks for the owner of its room.
const maxTries = 3

// Do is signaling.Hub.Do wherever the room is. A command that would be done twice if it was repeated is not given again once it may
// have been done.
func (c *Cluster) Do(ctx context.Context, room rooms.RoomID, cmd rooms.Command) (rooms.Outcome, error) {
	o, err := orderOf(room, cmd)
	if err != nil {
		return rooms.Outcome{}, err
	}
	q := question{pathDo, o, cmd.Client != "" || repeatable[cmd.Do.Name()]}
	return reach(ctx, c, room, q, func() (rooms.Outcome, error) { return c.hub.Do(ctx, room, cmd) })
}

// repeatable are the actions that are done once however often they are given.
var repeatable = map[string]bool{rooms.ActCreate: true, rooms.ActReceive: true}

// Visit is signaling.Hub.Visit wherever the room is.
func (c *Cluster) Visit(ctx context.Context, room rooms.RoomID, id rooms.VisitID) (*rooms.Visit, error) {
	return reach(ctx, c, room, question{pathVisit, asked{room, id}, true}, func() (*rooms.Visit, error) { return c.hub.Visit(ctx, room, id) })
}

// reach does something here if the room is, or has its owner do it.
func reach[A any](ctx context.Context, c *Cluster, room rooms.RoomID, q question, local func() (A, error)) (A, error) {
	var err error
	for range maxTries {
		var answer A
		answer, err = local()
		other := (*signaling.Elsewhere)(nil)
		if !errors.As(err, &other) {
			return answer, err
		}
		limited, cancel := context.WithTimeout(ctx, hopTimeout)
		err = c.call(limited, other.At, q.path, q.body, &answer)
		cancel()
		if !errors.Is(err, errUnreached) && !errors.As(err, &other) {
			return answer, err
		}
		c.Failed(room, other.At, err)
		if ctx.Err() != nil || !q.repeatable && !unsent(err) {
			break
		}
	}
	var none A
	return none, fmt.Errorf("%w: %w", signaling.ErrRetry, err)
}

// question is what another instance is to do.
type question struct {
	path       string
	body       any
	repeatable bool
}

// unsent tells whether a question has certainly not been heard.
func unsent(err error) bool {
	var dial *net.OpError
	moved := (*signaling.Elsewhere)(nil)
	return errors.As(err, &moved) || errors.As(err, &dial) && dial.Op == "dial"
}

// hopTimeout bounds a command at another instance: what a save may take there, and a little.
const hopTimeout = 4 * time.Second

// order is a rooms.Command on the hop.
type order struct {
	Room   rooms.RoomID    `json:"room"`
	Actor  rooms.Actor     `json:"actor"`
	Client string          `json:"client,omitempty"`
	ID     uint64          `json:"id,omitempty"`
	Visit  rooms.VisitID   `json:"visit"`
	Action string          `json:"action"`
	Do     json.RawMessage `json:"do"`
}

func orderOf(room rooms.RoomID, cmd rooms.Command) (order, error) {
	do, err := json.Marshal(cmd.Do)
	return order{room, cmd.Actor, cmd.Client, cmd.ID, cmd.Visit, cmd.Do.Name(), do}, err
}

func (o order) command() (rooms.Command, error) {
	read, ok := actions[o.Action]
	if !ok {
		return rooms.Command{}, fmt.Errorf("%w: action %q", rooms.ErrBadValue, o.Action)
	}
	do, err := read(o.Do)
	return rooms.Command{Actor: o.Actor, Client: o.Client, ID: o.ID, Visit: o.Visit, Do: do}, err
}

// actions reads what the system does to visits. What people do comes on their own sockets.
var actions = map[string]func(json.RawMessage) (rooms.Action, error){
	rooms.ActCreate:  action[rooms.Create],
	rooms.ActInvite:  action[rooms.Invite],
	rooms.ActHold:    action[rooms.Hold],
	rooms.ActRemove:  action[rooms.Remove],
	rooms.ActLock:    action[rooms.Lock],
	rooms.ActEnd:     action[rooms.End],
	rooms.ActNoShow:  action[rooms.NoShow],
	rooms.ActCancel:  action[rooms.Cancel],
	rooms.ActReceive: action[rooms.Receive],
	rooms.ActDepart:  action[rooms.Depart],
	rooms.ActReissue: action[rooms.Reissue],
	rooms.ActRevoke:  action[rooms.Revoke],
	rooms.ActErase:   action[rooms.Erase],
}

func action[A rooms.Action](data json.RawMessage) (rooms.Action, error) {
	var a A
	err := json.Unmarshal(data, &a)
	return a, err
}

// failure is an error on the hop.
type failure struct {
	Kind   string     `json:"kind"`
	Code   rooms.Code `json:"code,omitempty"`
	Detail string     `json:"detail,omitempty"`
	By     string     `json:"by,omitempty"`
}

// kinds are the errors that callers tell apart, beside those of package rooms.
var kinds = map[string]error{
	"not_found": store.ErrNotFound, "retry": signaling.ErrRetry, "closed": signaling.ErrClosed, "unavailable": store.ErrUnavailable,
}

func failureOf(err error) failure {
	var rule *rooms.Error
	if errors.As(err, &rule) {
		return failure{"rule", rule.Code, rule.Detail, rule.By}
	}
	if moved := (*signaling.Elsewhere)(nil); errors.As(err, &moved) {
		return failure{Kind: "moved"}
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		if errors.Is(err, kinds[kind]) {
			return failure{Kind: kind}
		}
	}
	return failure{Kind: "internal"}
}

var errOther = errors.New("cluster: the other instance could not do it")

func (f failure) error() error {
	switch f.Kind {
	case "rule":
		return &rooms.Error{Code: f.Code, Detail: f.Detail, By: f.By}
	case "moved":
		return &signaling.Elsewhere{}
	}
	if err, ok := kinds[f.Kind]; ok {
		return err
	}
	return errOther
}

// maxChanges bounds the rooms whose change waits to be told; beyond it all is told to all rooms that are owned.
const maxChanges = 10_000

// changes are rooms of whose directory the owners are to hear.
type changes struct {
	mu    *sync.Mutex
	rooms map[rooms.RoomID]struct{}
	ready chan struct{} // holds a value while there are some
}

func newChanges() changes {
	return changes{mu: new(sync.Mutex), rooms: map[rooms.RoomID]struct{}{}, ready: make(chan struct{}, 1)}
}

func (ch *changes) add(room rooms.RoomID) {
	ch.mu.Lock()
	if len(ch.rooms) < maxChanges {
		ch.rooms[room] = struct{}{}
	}
	ch.mu.Unlock()
	select {
	case ch.ready <- struct{}{}:
	default:
	}
}

func (ch *changes) take() []rooms.RoomID {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	all := slices.Collect(maps.Keys(ch.rooms))
	clear(ch.rooms)
	return all
}

// RoomChanged is signaling.Hub.RoomChanged wherever the room is: its owner hears of it soon, and is told again until it
// has or there is none.
func (c *Cluster) RoomChanged(room rooms.RoomID) {
	c.news()
	c.hub.RoomChanged(room)
	if !c.has(room) {
		c.changed.add(room)
	}
}

// tell brings changes to the owners.
func (c *Cluster) tell() {
	again := time.NewTicker(Every)
	defer again.Stop()
	for {
		select {
		case <-c.changed.ready:
		case <-c.ctx.Done():
			return
		}
		failed := false
		for _, room := range c.changed.take() {
			if !c.told(room) {
				c.changed.add(room)
				failed = true
			}
		}
		if failed {
			select {
			case <-again.C:
			case <-c.ctx.Done():
				return
			}
		}
	}
}

// told tells the owner of a room that it has changed.
func (c *Cluster) told(room rooms.RoomID) bool {
	ctx, cancel := c.within()
	defer cancel()
	holder, err := c.store.Holder(ctx, room)
	if errors.Is(err, store.ErrNotFound) {
		return true
	}
	if err != nil {
		return false
	}
	id, at := parseOwner(holder.Owner)
	if id == c.id {
		c.hub.RoomChanged(room)
		return true
	}
	if holder.Nonce == "" {
		return true // who takes it reads it anew
	}
	err = c.call(ctx, at, pathChanged, asked{Room: room}, &struct{}{})
	return err == nil || holder.Left <= 0 // that one lives no more, or claims anew
}
