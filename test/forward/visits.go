package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/anteroom/anteroom/internal/udp"
)

// visits is the role of people in visits of two while something else happens to the server. It prints "begin" when media
// flows, counts until it is asked to end, and prints what it saw. Nothing is on its way when it begins and ends to count, so
// that one packet that is lost is seen.
func visits(args []string) error {
	flags := newFlags("visits")
	control := flags.String("control", "", "")
	media := flags.String("media", "", "")
	rooms := flags.Int("rooms", 1, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	target, err := netip.ParseAddrPort(*media)
	if err != nil {
		return err
	}
	socket, err := udp.Listen(netip.MustParseAddrPort("0.0.0.0:0"), udp.Options{Buffer: 32 << 20, PacketInfo: true})
	if err != nil {
		return err
	}
	w := &wire{socket: socket, target: target, writer: socket.NewWriter(batch)}
	l := &loader{wire: w, reader: socket.NewReader(batch), roomsOf: 2, byAddr: map[netip.Addr]*client{}}
	if err := l.gather("server", *control, 0, *rooms); err != nil {
		return err
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	l.schedule()
	l.run(1500 * time.Millisecond)
	l.drain()
	l.next, l.began = 0, time.Now()
	l.reset()
	fmt.Println("begin")
	began := time.Now()
	for len(end) == 0 {
		l.run(100 * time.Millisecond)
	}
	lasted := time.Since(began)
	l.drain()
	return json.NewEncoder(os.Stdout).Encode(l.seen(lasted))
}

// drain takes media that is still on its way, until none has come for a while. Reports come all the time.
func (l *loader) drain() {
	media := func() (n uint64) {
		for _, c := range l.clients {
			n += c.received
		}
		return n
	}
	for last := time.Now(); time.Since(last) < 500*time.Millisecond; {
		before := media()
		l.receive()
		if media() != before {
			last = time.Now()
		}
		l.rest(time.Now())
	}
}
