package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"time"
)

// churned is what a load whose visits come and go saw.
type churned struct {
	Sent, Received uint64 // media packets; each is due at one viewer
	Lost           float64
	Joined         int     // people, and as many left
	Late10         float64 // share of events more than 10 ms late
}

// churn is the role 'churn': visits of two with media, of which the oldest ends and a new one begins each so often. It prints
// "begin" when all are there, and at its end what it saw.
func churn(args []string) error {
	flags := newFlags("churn")
	control := flags.String("control", "", "")
	media := flags.String("media", "", "")
	rooms := flags.Int("rooms", 1, "")
	every := flags.Duration("every", time.Second, "")
	lasting := flags.Duration("for", time.Minute, "")
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
	c := churner{
		loader: l, control: *control, open: &handshakes{open: map[netip.Addr]*handshake{}},
		joining: &wire{socket: l.wire.socket, target: target, writer: l.wire.socket.NewWriter(1)},
		changes: make(chan func()), failed: make(chan error, 1),
	}
	if c.cert, err = newCertificate(); err != nil {
		return err
	}
	if err := l.gather("server", *control, 0, *rooms); err != nil {
		return err
	}
	l.strangers = c.open
	l.schedule()
	fmt.Println("begin")
	go func() { c.failed <- c.replace(*every) }()
	for end := time.Now().Add(*lasting); time.Now().Before(end); {
		if err := c.turn(); err != nil {
			return err
		}
	}
	l.settle()
	return json.NewEncoder(os.Stdout).Encode(churned{
		Sent: l.sent, Received: l.received, Lost: 1 - float64(l.received)/float64(max(l.sent, 1)),
		Joined: c.joined, Late10: float64(l.late10) / float64(max(l.done, 1)),
	})
}

// churner is a loader whose clients change.
type churner struct {
	*loader
	control string
	cert    tls.Certificate
	open    *handshakes
	joining *wire       // for the goroutine that connects clients
	changes chan func() // to be run by the goroutine that sends and receives
	failed  chan error
	joined  int
}

// turn sends and receives for a period, and then lets clients come and go.
func (c *churner) turn() error {
	for rounds := c.rounds; c.rounds == rounds; {
		now := time.Now()
		if sent, got := c.sendDue(now), c.receive(); !sent && !got {
			c.rest(now) // handshakes share the core
		}
	}
	c.delays, c.lates = c.delays[:0], c.lates[:0] // of which there would be too many
	select {
	case change := <-c.changes:
		change()
	case err := <-c.failed:
		return err
	default:
	}
	return nil
}

// replace ends the oldest visit and begins another, each so often.
func (c *churner) replace(every time.Duration) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for next := len(c.clients); ; next += 2 {
		<-ticker.C
		come, err := c.meet(next)
		if err != nil {
			return err
		}
		var gone []*client
		c.change(func() { gone = c.swap(come) })
		<-time.After(200 * time.Millisecond) // what the two sent last arrives
		if err := post(c.control, "/leave", seating{Rooms: [][]int{{gone[0].index, gone[1].index}}}, new(struct{})); err != nil {
			return err
		}
		c.change(func() {
			delete(c.byAddr, gone[0].local)
			delete(c.byAddr, gone[1].local)
		})
	}
}

// swap takes the oldest clients out, puts others in, and returns the former, who can still receive.
func (c *churner) swap(come []*client) (gone []*client) {
	gone, c.clients = c.clients[:len(come)], c.clients[len(come):]
	for _, p := range come {
		c.add(p)
	}
	began := c.began
	c.events, c.next = nil, 0
	c.schedule()
	c.began = began
	c.joined += len(come)
	return gone
}

// change has f run by the goroutine that sends and receives, and waits for it.
func (c *churner) change(f func()) {
	done := make(chan struct{})
	c.changes <- func() {
		defer close(done)
		f()
	}
	<-done
}

// meet connects two people, the i-th and the one after, and puts them into a visit.
func (c *churner) meet(i int) (pair []*client, err error) {
	for k := range 2 {
		p := newClient(i+k, i/2)
		if err := p.connect(c.joining, c.open, c.control, 2, c.cert); err != nil {
			return nil, fmt.Errorf("client %d: %w", p.index, err)
		}
		pair = append(pair, p)
	}
	return pair, post(c.control, "/seat", seating{Rooms: [][]int{{i, i + 1}}}, new(struct{}))
}
