package cluster

import (
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/anteroom/anteroom/rooms/store"
)

// remembered is how long an instance is asked that is not listed any more: with a store that has lost its list it may have rooms all the same.
// And for how long its media are reached: it goes on with them while it stops.
const remembered = 4 * TTL

// member is an instance as it announces itself.
type member struct {
	ID string `json:"-"`
	At string `json:"at"`
	// Schema is the newest that it can write; 0 of a version that did not say so, which knows the first.
	Schema int `json:"schema"`
	// Media is where its peers are reached, for relays of the others.
	Media addresses `json:"media,omitempty"`
	Load
}

// addresses are read as far as they are some: that another version writes them otherwise is no reason not to know that it is there.
type addresses []netip.AddrPort

// UnmarshalJSON implements json.Unmarshaler.
func (a *addresses) UnmarshalJSON(b []byte) error {
	*a = nil
	var texts []string
	_ = json.Unmarshal(b, &texts) // what is no list has none
	for _, text := range texts {
		if at, err := netip.ParseAddrPort(text); err == nil {
			*a = append(*a, at)
		}
	}
	return nil
}

// maxMedia bounds the media addresses of an instance.
const maxMedia = 16

// meeting is when an instance was listed last, and what it said of its media then.
type meeting struct {
	last  time.Duration
	media []netip.AddrPort
}

// owner is what a claim says of its instance, so that another process at the same address is not taken for it.
func (c *Cluster) owner() string { return c.id + "@" + c.at }

// parseOwner answers empty texts for what is no owner.
func parseOwner(owner string) (id, at string) {
	id, at, _ = strings.Cut(owner, "@")
	return id, at
}

// announce says what this instance carries.
func (c *Cluster) announce(ctx context.Context) error {
	about, err := json.Marshal(member{At: c.at, Schema: c.newest(), Media: c.media, Load: c.load()})
	if err != nil {
		return err
	}
	return c.store.Announce(ctx, store.Instance{ID: c.id, About: about}, TTL)
}

// meet announces this instance and learns who else is there. Without the store the others are those of the last time.
func (c *Cluster) meet() {
	ctx, cancel := c.within()
	defer cancel()
	if !c.isLeaving() {
		if err := c.announce(ctx); err != nil {
			c.log.Debug("not_announced", zap.Error(err))
			return
		}
	}
	list, err := c.store.Instances(ctx)
	if err != nil {
		c.log.Debug("instances_not_listed", zap.Error(err))
		return
	}
	members := make([]member, 0, len(list))
	for _, i := range list {
		m := member{ID: i.ID}
		if json.Unmarshal(i.About, &m) == nil && m.At != "" {
			members = append(members, m)
		}
	}
	c.note(members)
	c.others(c.mediaOfOthers())
	c.agree()
}

// note remembers who is there.
func (c *Cluster) note(members []member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members = members
	for _, m := range members {
		c.met[m.At] = meeting{c.now(), reachable(m.Media)}
	}
	for at, m := range c.met {
		if c.now()-m.last > remembered {
			delete(c.met, at)
		}
	}
	for at, since := range c.suspects {
		if c.now()-since > TTL {
			delete(c.suspects, at)
		}
	}
}

// mediaOfOthers is where the media of others are, and of those that were here a moment ago.
func (c *Cluster) mediaOfOthers() (media []netip.AddrPort) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for at, m := range c.met {
		if at != c.at {
			media = append(media, m.media...)
		}
	}
	return media
}

// broadcast is everybody on a network.
var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// reachable are addresses that can be somebody's, IPv4 as such: a mapped 0.0.0.0 would be this machine.
func reachable(media []netip.AddrPort) []netip.AddrPort {
	var good []netip.AddrPort
	for _, a := range media {
		host := a.Addr().Unmap()
		if a.Port() != 0 && host.IsValid() && !host.IsUnspecified() && !host.IsMulticast() && host != broadcast {
			good = append(good, netip.AddrPortFrom(host, a.Port()))
		}
	}
	return good[:min(len(good), maxMedia)]
}

func (c *Cluster) isLeaving() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leaving
}

// maxAsked bounds how many instances are asked at once.
const maxAsked = 32

// some are the addresses of up to maxAsked others, drawn by lot so that not all ask the same: of those that are listed first, then of
// those that were a moment ago.
func (c *Cluster) some() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.listed()
	var gone []string
	for at := range c.met {
		if at != c.at && !slices.Contains(list, at) {
			gone = append(gone, at)
		}
	}
	for _, l := range [][]string{list, gone} {
		for i := range l {
			j := i + c.lot(len(l)-i)
			l[i], l[j] = l[j], l[i]
		}
	}
	list = append(list, gone...)
	return list[:min(len(list), maxAsked)]
}

// listed are the addresses of all but this instance. The caller holds mu.
func (c *Cluster) listed() []string {
	var list []string
	for _, m := range c.members {
		if m.ID != c.id {
			list = append(list, m.At)
		}
	}
	return list
}

// First tells whether this instance is the one of all that does what need not be done by each.
func (c *Cluster) First() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.members) == 0 || c.members[0].ID == c.id // the store lists them by ID
}

// place answers who is to take a room that nobody has: of two instances drawn by lot the less loaded one, which spreads load
// nearly as well as asking all would, without all choosing the same (Mitzenmacher, The Power of Two Choices). Empty: this one.
func (c *Cluster) place() string {
	mine := c.load()
	return c.draw(c.candidates(&mine))
}

// successor answers who is to take a room that this instance leaves: if it gives it away because it carries more than others,
// nobody who carries more than the mean. Empty: there is nobody.
func (c *Cluster) successor() string {
	others := c.candidates(nil)
	if !c.isLeaving() {
		sum := c.load().score()
		for _, m := range others {
			sum += m.score()
		}
		others = slices.DeleteFunc(others, func(m member) bool { return m.score()*(1+len(others)) > sum })
	}
	return c.draw(others)
}

// candidates are the instances that could take a room: with this one and what it carries, or without.
func (c *Cluster) candidates(mine *Load) []member {
	c.mu.Lock()
	defer c.mu.Unlock()
	var live []member
	for _, m := range c.members {
		_, suspect := c.suspects[m.At]
		switch {
		case m.ID != c.id && !suspect:
			live = append(live, m)
		case m.ID == c.id && mine != nil:
			live = append(live, member{ID: m.ID, Load: *mine})
		}
	}
	return live
}

// draw answers the address of the less loaded of two; empty of this instance or nobody.
func (c *Cluster) draw(live []member) string {
	if len(live) == 0 {
		return ""
	}
	i, j := c.lot(len(live)), c.lot(len(live))
	if live[j].score() < live[i].score() {
		i = j
	}
	return live[i].At
}
