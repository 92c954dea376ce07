package client

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/anteroom/anteroom/signaling/wire"
)

// slots is how many slot pairs this device offers.
func (c *Client) slots() int {
	if c.opts.Device == wire.DeviceDesktop {
		return DesktopSlots
	}
	return PhoneSlots
}

// makePeer makes a peer as the page's options say, and its offer.
func (c *Client) makePeer() (*Peer, string, error) {
	if !c.opts.RelayOnly {
		return NewPeer(c.slots())
	}
	c.mu.Lock()
	servers := slices.Clone(c.state.servers)
	c.mu.Unlock()
	if c.opts.RelayAt != "" {
		for i := range servers {
			servers[i].URLs = []string{"turn:" + c.opts.RelayAt + "?transport=tcp"}
		}
	}
	return NewRelayedPeer(c.slots(), servers)
}

// Peer is the page's newest peer, or nil.
func (c *Client) Peer() *Peer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peer
}

// Media returns the page's peer when ICE and DTLS are up. Without one it waits until the view asks for
// one and makes it.
func (c *Client) Media(ctx context.Context) (*Peer, error) {
	if p := c.Peer(); p != nil && !p.ended() {
		return p, p.WaitConnected(ctx)
	}
	if _, err := c.WaitView(ctx, func(v wire.View) bool { return v.Connect }); err != nil {
		return nil, err
	}
	return c.NewMedia(ctx)
}

// NewMedia offers a new peer, whatever the view says, and closes the one before.
func (c *Client) NewMedia(ctx context.Context) (*Peer, error) {
	p, offer, err := c.makePeer()
	if err != nil {
		return nil, err
	}
	var answer wire.Answer
	data, err := c.Do(ctx, wire.TypeOffer, wire.Offer{SDP: offer})
	if err == nil {
		err = json.Unmarshal(data, &answer)
	}
	if err == nil {
		err = p.Answer(answer.SDP)
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	c.setPeer(p, answer.Peer)
	return p, p.WaitConnected(ctx)
}

func (c *Client) setPeer(p *Peer, id string) {
	c.mu.Lock()
	before := c.peer
	c.peer, c.peerID = p, id
	if c.keep && before != nil {
		before, c.former, c.keep = c.former, before, false
	}
	c.mu.Unlock()
	if before != nil {
		before.Close()
	}
}

// PartFormer closes the peer that went on when the room was handed over, if there is one.
func (c *Client) PartFormer() {
	c.mu.Lock()
	former := c.former
	c.former = nil
	c.mu.Unlock()
	if former != nil {
		former.Close()
	}
}

// settlePeer follows what welcome says of the peers: an offered one may have been answered, and one of
// before that the server has no more is closed.
func (c *Client) settlePeer(offered *Peer, welcome wire.Welcome) error {
	if offered != nil && welcome.Answer != "" {
		c.setPeer(offered, welcome.Peer)
		return offered.Answer(welcome.Answer)
	}
	if offered != nil {
		offered.Close()
	}
	c.mu.Lock()
	gone := c.peerID != welcome.Peer
	c.mu.Unlock()
	if gone {
		c.setPeer(nil, "")
	}
	return nil
}
