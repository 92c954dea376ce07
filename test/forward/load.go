package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtp"

	"github.com/anteroom/anteroom/internal/udp"
)

// loaded is what the load saw in its window.
type loaded struct {
	Sent, Received, Due uint64  // media packets; Due: that should have been received for those sent
	Lost                float64 // share of Due
	DelayP50, DelayP99  float64 // µs, from before sending to after receiving, of one packet in 16
	LateP99, Late10     float64 // µs behind its schedule; share of events more than 10 ms late
	Busy                float64 // share of the time in which it did something
	Feedback            uint64  // RTCP packets that came
	Seconds             float64
}

// add joins what another load saw in the same window, of times the worst.
func (l *loaded) add(o loaded) {
	l.Sent, l.Received, l.Due, l.Feedback = l.Sent+o.Sent, l.Received+o.Received, l.Due+o.Due, l.Feedback+o.Feedback
	l.Lost = 1 - float64(l.Received)/float64(max(l.Due, 1))
	l.DelayP50, l.DelayP99 = max(l.DelayP50, o.DelayP50), max(l.DelayP99, o.DelayP99)
	l.LateP99, l.Late10, l.Busy, l.Seconds = max(l.LateP99, o.LateP99), max(l.Late10, o.Late10), max(l.Busy, o.Busy), max(l.Seconds, o.Seconds)
}

// load is the role 'load'. It prints "seated" when its clients are connected, and waits for the end of its input. Then it prints
// "begin" and "end" around its window, so that the parent can read clocks, and then what it saw.
func load(args []string) error {
	flags := newFlags("load")
	control := flags.String("control", "", "")
	media := flags.String("media", "", "")
	kind := flags.String("target", "server", "")
	roomsOf := flags.Int("rooms-of", 2, "")
	rooms := flags.Int("rooms", 1, "")
	first := flags.Int("first", 0, "how many clients other loads have connected")
	warmUp := flags.Duration("warm-up", 1500*time.Millisecond, "")
	spin := flags.Bool("spin", true, "never sleep")
	window := flags.Duration("window", 4*time.Second, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	target, err := netip.ParseAddrPort(*media)
	if err != nil {
		return err
	}
	l, err := newLoader(target, *roomsOf)
	if err != nil {
		return err
	}
	l.spin = *spin
	if err := l.gather(*kind, *control, *first, *rooms); err != nil {
		return err
	}
	fmt.Println("seated")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	l.schedule()
	l.run(*warmUp)
	fmt.Println("begin")
	l.reset()
	began := time.Now()
	l.run(*window)
	lasted := time.Since(began)
	fmt.Println("end")
	l.settle()
	return json.NewEncoder(os.Stdout).Encode(l.seen(lasted))
}

type loader struct {
	wire      *wire
	reader    udp.Reader
	roomsOf   int
	spin      bool
	clients   []*client
	strangers *handshakes // of those who are not yet clients; may be nil
	byAddr    map[netip.Addr]*client
	events    []event
	next      int       // event
	began     time.Time // of the period
	rounds    int       // periods

	out     []udp.Datagram
	buffers [][udp.MaxDatagram]byte
	header  rtp.Header

	sent, received, feedback, late10, done uint64
	delays, lates                          []int64
	idle                                   time.Duration
}

// event is what a client sends at a time of each period.
type event struct {
	at     time.Duration
	client *client
	frame  bool
}

// gather makes the clients and connects them to the target.
func (l *loader) gather(kind, control string, first, rooms int) error {
	var seats seating
	for i := range rooms * l.roomsOf {
		c := newClient(first+i, i/l.roomsOf)
		l.add(c)
		if i%l.roomsOf == 0 {
			seats.Rooms = append(seats.Rooms, nil)
		}
		seats.Rooms[c.room] = append(seats.Rooms[c.room], c.index)
		seats.Flows = append(seats.Flows, netip.AddrPortFrom(c.local, l.wire.socket.LocalAddr().Port()))
	}
	l.buffers = make([][udp.MaxDatagram]byte, 4*batch)
	connect := l.connectAll
	if kind == "floor" {
		connect = l.deriveAll
	}
	if err := connect(control); err != nil {
		return err
	}
	return post(control, "/seat", seats, new(struct{}))
}

func (l *loader) deriveAll(string) (err error) {
	for _, c := range l.clients {
		if c.sealer, err = floorContext(c.index, 'c'); err != nil {
			return err
		}
		if c.opener, err = floorContext(c.index, 's'); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) connectAll(control string) error {
	cert, err := newCertificate()
	if err != nil {
		return err
	}
	h := &handshakes{open: map[netip.Addr]*handshake{}}
	stop := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			ds, err := l.reader.Read()
			if err != nil {
				return
			}
			for _, d := range ds {
				h.dispatch(d)
			}
		}
	})
	for _, c := range l.clients {
		if err := c.connect(l.wire, h, control, l.roomsOf, cert); err != nil {
			return fmt.Errorf("client %d: %w", c.index, err)
		}
	}
	close(stop)
	l.wire.writer.Write([]udp.Datagram{{Data: []byte{0}, Addr: l.wire.socket.LocalAddr()}}) // wakes the reader
	reading.Wait()
	return nil
}

// schedule spreads the clients' events over the period.
func (l *loader) schedule() {
	for i, c := range l.clients {
		phase := period * time.Duration(i) / time.Duration(len(l.clients))
		for k := range frames {
			l.events = append(l.events, event{at: (phase + period*time.Duration(k)/frames) % period, client: c, frame: true})
		}
		for k := range int(period / voiceEvery) {
			l.events = append(l.events, event{at: (phase/7 + voiceEvery*time.Duration(k)) % period, client: c})
		}
	}
	slices.SortStableFunc(l.events, func(a, b event) int { return int(a.at - b.at) })
	l.began = time.Now()
}

func (l *loader) reset() {
	l.sent, l.received, l.feedback, l.late10, l.done, l.idle = 0, 0, 0, 0, 0, 0
	l.delays, l.lates = l.delays[:0], l.lates[:0]
	for _, c := range l.clients {
		c.received = 0
	}
}

// run sends and receives for that long. Alone on its core it never sleeps, so that its own waking is nobody's cost; where it shares
// cores with the target it sleeps while nothing is due.
func (l *loader) run(d time.Duration) {
	for end := time.Now().Add(d); ; {
		now := time.Now()
		if now.After(end) {
			return
		}
		if sent, got := l.sendDue(now), l.receive(); !sent && !got {
			if !l.spin {
				l.rest(now)
			}
			l.idle += time.Since(now)
		}
	}
}

// rest sleeps until the next event is due, for a millisecond at most.
func (l *loader) rest(now time.Time) {
	due := l.began.Add(l.events[l.next].at).Sub(now)
	time.Sleep(min(max(due, 0), time.Millisecond)) //nolint:forbidigo // a load has no event to wait for but time
}

// settle takes what is still on its way.
func (l *loader) settle() {
	for end := time.Now().Add(200 * time.Millisecond); time.Now().Before(end); {
		l.receive()
	}
}

func (l *loader) sendDue(now time.Time) bool {
	l.out = l.out[:0]
	for len(l.out)+framePackets+2 <= batch {
		e := l.events[l.next]
		due := l.began.Add(e.at)
		if due.After(now) {
			break
		}
		late := now.Sub(due)
		l.lates = append(l.lates, int64(late))
		if late > 10*time.Millisecond {
			l.late10++
		}
		l.done++
		l.play(e, now)
		if l.next++; l.next == len(l.events) {
			l.next, l.began = 0, l.began.Add(period)
			l.rounds++
			l.housekeep(now)
		}
	}
	if len(l.out) == 0 {
		return false
	}
	l.wire.writer.Write(l.out)
	return true
}

// play seals what a client sends at an event.
func (l *loader) play(e event, now time.Time) {
	c, stamp := e.client, now.UnixNano()
	if !e.frame {
		c.voice.ts += 960
		buf := l.buffers[len(l.out)][:]
		l.seal(c, c.packet(&c.voice, buf, voiceBytes, false, stamp))
		return
	}
	c.camera.ts += 3000
	for i := range framePackets {
		buf := l.buffers[len(l.out)][:]
		n := c.packet(&c.camera, buf, cameraBytes, i == framePackets-1, stamp)
		c.camera.describe(buf[n-cameraBytes:], i == 0)
		l.seal(c, n)
	}
	c.camera.picture++
}

func (l *loader) seal(c *client, n int) {
	buf := l.buffers[len(l.out)][:]
	sealed, err := c.sealer.EncryptRTP(buf[:0], buf[:n], &l.header)
	if err != nil {
		panic(err) // nothing in it depends on input
	}
	l.out = append(l.out, udp.Datagram{Data: sealed, Addr: l.wire.target, Local: c.local})
	l.sent++
}

// housekeep sends what clients send seldom: reports each second, checks each 5 s.
func (l *loader) housekeep(now time.Time) {
	for i, c := range l.clients {
		if (i+l.rounds)%10 == 0 {
			if sealed, err := c.sealer.EncryptRTCP(nil, c.report(now), nil); err == nil {
				l.wire.writer.Write([]udp.Datagram{{Data: sealed, Addr: l.wire.target, Local: c.local}})
			}
		}
		if (i+l.rounds)%50 == 0 && c.key != "" {
			l.wire.writer.Write([]udp.Datagram{{Data: c.check(), Addr: l.wire.target, Local: c.local}})
		}
	}
}

func (l *loader) receive() bool {
	ds, err := l.reader.Poll()
	if err != nil {
		panic(err)
	}
	for _, d := range ds {
		c := l.byAddr[d.Local]
		switch {
		case c == nil && l.strangers != nil:
			l.strangers.dispatch(d)
		case c == nil || len(d.Data) < 12 || d.Data[0] < 128:
		case d.Data[1] >= 192 && d.Data[1] <= 223:
			l.feedback++
		default:
			c.received++
			l.received++
			if c.sample--; c.sample <= 0 {
				c.sample = 16
				l.measure(c, d.Data)
			}
		}
	}
	return len(ds) > 0
}

// measure opens a packet and takes the time it was under way.
func (l *loader) measure(c *client, b []byte) {
	plain, err := c.opener.DecryptRTP(b[:0], b, &l.header)
	if err != nil {
		panic(fmt.Sprintf("client %d: what came cannot be opened: %v", c.index, err))
	}
	at := l.header.MarshalSize() + stampAt
	if len(plain) < at+8 {
		return
	}
	if sent := int64(binary.BigEndian.Uint64(plain[at:])); sent > 0 {
		l.delays = append(l.delays, time.Now().UnixNano()-sent)
	}
}

func (l *loader) seen(d time.Duration) loaded {
	s := loaded{
		Sent: l.sent, Due: l.sent * uint64(l.roomsOf-1), Feedback: l.feedback, Seconds: d.Seconds(),
		DelayP50: quantile(l.delays, 0.5), DelayP99: quantile(l.delays, 0.99), LateP99: quantile(l.lates, 0.99),
		Late10: float64(l.late10) / float64(max(l.done, 1)),
		Busy:   1 - l.idle.Seconds()/d.Seconds(),
	}
	for _, c := range l.clients {
		s.Received += c.received
	}
	s.Lost = 1 - float64(s.Received)/float64(max(s.Due, 1))
	return s
}

// quantile sorts and returns a quantile in µs.
func quantile(ns []int64, q float64) float64 {
	if len(ns) == 0 {
		return 0
	}
	slices.Sort(ns)
	return float64(ns[int(q*float64(len(ns)-1))]) / 1e3
}
