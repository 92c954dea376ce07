package main

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/anteroom/anteroom/internal/udp"
)

// wait is the role 'wait': clients who are connected before they are admitted. They send no media, only checks and reports.
func wait(args []string) error {
	flags := newFlags("wait")
	control := flags.String("control", "", "")
	media := flags.String("media", "", "")
	clients := flags.Int("clients", 1, "")
	warmUp := flags.Duration("warm-up", 10*time.Second, "")
	window := flags.Duration("window", time.Second, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	target, err := netip.ParseAddrPort(*media)
	if err != nil {
		return err
	}
	l, err := newLoader(target, 2)
	if err != nil {
		return err
	}
	for i := range *clients {
		l.add(newClient(i, i/2))
	}
	if err := l.connectAll(*control); err != nil {
		return err
	}
	l.idleFor(*warmUp)
	fmt.Println("begin")
	l.idleFor(*window)
	fmt.Println("end")
	return nil
}

// newLoader opens the socket that all clients of a load share.
func newLoader(target netip.AddrPort, roomsOf int) (*loader, error) {
	socket, err := udp.Listen(netip.MustParseAddrPort("0.0.0.0:0"), udp.Options{Buffer: 32 << 20, PacketInfo: true})
	if err != nil {
		return nil, err
	}
	return &loader{
		wire:   &wire{socket: socket, target: target, writer: socket.NewWriter(batch)},
		reader: socket.NewReader(batch), roomsOf: roomsOf, byAddr: map[netip.Addr]*client{},
	}, nil
}

func newClient(i, room int) *client {
	c := &client{index: i, room: room, local: localAddr(i), sample: i}
	c.voice = stream{ssrc: uint32(1000 + 2*i), pt: 111, seq: uint16(i)}
	c.camera = stream{ssrc: uint32(1001 + 2*i), pt: 96, seq: uint16(2 * i)}
	return c
}

func (l *loader) add(c *client) {
	l.clients = append(l.clients, c)
	l.byAddr[c.local] = c
}

// idleFor sends what clients send without media.
func (l *loader) idleFor(d time.Duration) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for end := time.Now().Add(d); time.Now().Before(end); <-ticker.C {
		l.rounds++
		l.housekeep(time.Now())
		for l.receive() {
		}
	}
}
