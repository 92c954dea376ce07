package turn

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

func TestAuthenticate_ExpiryIsForAllocateOnly(t *testing.T) {
	s := &Server{cfg: Config{Realm: "r", Secret: make([]byte, minSecret)}}
	expired, _ := s.Credentials("seat", time.Hour, time.Now().Add(-time.Hour))
	valid, _ := s.Credentials("seat", time.Hour, time.Now())
	for _, c := range []struct {
		name, username, realm string
		method                stun.Method
		want                  bool
	}{
		{"allocate", valid, "r", stun.MethodAllocate, true},
		{"allocate late", expired, "r", stun.MethodAllocate, false},
		{"refresh late", expired, "r", stun.MethodRefresh, true},
		{"permission late", expired, "r", stun.MethodCreatePermission, true},
		{"another realm", valid, "q", stun.MethodAllocate, false},
		{"rubbish", "rubbish", "r", stun.MethodRefresh, false},
		{"no expiry", ":seat", "r", stun.MethodRefresh, false},
	} {
		id, key, ok := s.authenticate(&turn.RequestAttributes{Username: c.username, Realm: c.realm, Method: c.method})
		if ok != c.want || ok && (id != "seat" || len(key) == 0) {
			t.Errorf("%s: %q, %x, %v; want %v", c.name, id, key, ok, c.want)
		}
	}
	if got := s.denied.Load(); got != 4 {
		t.Errorf("%d denied, want 4", got)
	}
}

// Made by a clock that was an hour off, credentials for a working day are good for an hour more or less of it.
func TestAuthenticate_TheClockWasSetByAnHour_CredentialsAreGood(t *testing.T) {
	s := &Server{cfg: Config{Realm: "r", Secret: make([]byte, minSecret)}}
	for _, off := range []time.Duration{-time.Hour, time.Hour} {
		username, _ := s.Credentials("seat", 12*time.Hour, time.Now().Add(off))
		if _, _, ok := s.authenticate(&turn.RequestAttributes{Username: username, Realm: "r", Method: stun.MethodAllocate}); !ok {
			t.Errorf("made %v off: refused", off)
		}
	}
}

// reads has a connection read until it may not any more, and answers how long that took.
func reads(t *testing.T, allocated bool, every time.Duration) (took time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &Server{cfg: Config{Idle: time.Minute}, conns: make(map[netip.AddrPort]*conn)}
		client, below := net.Pipe()
		c, err := s.adopt(below)
		if err != nil {
			t.Fatal(err)
		}
		c.(*conn).allocated.Store(allocated)
		written := make(chan struct{})
		go func() { // a message each time, ten in all
			defer close(written)
			binding := stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw
			for range 10 {
				time.Sleep(every) //nolint:forbidigo // in a bubble
				if _, err := client.Write(binding); err != nil {
					return
				}
			}
		}()
		began := time.Now()
		for p := make([]byte, maxMessage); err == nil; {
			_, err = c.Read(p)
		}
		took = time.Since(began)
		_ = c.Close()
		_ = client.Close()
		<-written
	})
	return took
}

func TestConnection_OnAFakeClock_EndsWhenItIsIdleOrHasNoAllocation(t *testing.T) {
	if got := reads(t, false, 20*time.Second); got != time.Minute {
		t.Errorf("without an allocation: %v after its beginning", got)
	}
	if got := reads(t, true, 50*time.Second); got != 500*time.Second+time.Minute {
		t.Errorf("with one: %v, want a minute after the last message", got)
	}
}

func TestGenerator_EvenPort_Refused(t *testing.T) {
	if _, _, err := (generator{}).AllocatePacketConn(turn.AllocateListenerConfig{Network: "udp4"}); !errors.Is(err, errEvenPort) {
		t.Errorf("got %v", err)
	}
}

func TestConnections_SamePortAgain_NewerIsKept(t *testing.T) {
	s := &Server{conns: make(map[netip.AddrPort]*conn)}
	connect := func() (client, server net.Conn) { // all from the same address, as far as pipes have one
		client, below := net.Pipe()
		server, err := s.adopt(below)
		if err != nil {
			t.Fatal(err)
		}
		return client, server
	}
	_, older := connect()
	older.(*conn).end()
	_, newer := connect()
	_ = older.Close()
	if s.Stats().Connections != 1 {
		t.Error("the newer connection was forgotten with the older one")
	}
	_ = newer.Close()
	s.owned.Wait()
	if s.Stats().Connections != 0 {
		t.Error("the newer connection was kept")
	}
}

// stream is a connection that says in and then nothing more.
type stream struct {
	net.Conn
	in io.Reader
}

func (s stream) Read(p []byte) (int, error)      { return s.in.Read(p) }
func (s stream) SetReadDeadline(time.Time) error { return nil }

func FuzzRead_WholeMessagesInOrder(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x40, 0, 0, 1, 9, 0, 0, 0})
	f.Add([]byte{0x40, 0, 0xff, 0xff})
	f.Add([]byte{0x80, 0, 0, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		nc := stream{in: bytes.NewReader(in)}
		c := &conn{Conn: nc, s: &Server{}, in: bufio.NewReaderSize(nc, maxMessage)}
		p := make([]byte, maxMessage)
		for {
			n, err := c.Read(p)
			if err != nil {
				return
			}
			if n > maxMessage || !bytes.HasPrefix(in, p[:n]) {
				t.Fatalf("read % x of % x", p[:n], in)
			}
			if want, err := messageLen(p[:headerSize]); err != nil || n != want {
				t.Fatalf("a message of %d bytes, want %d, %v", n, want, err)
			}
			in = in[n:]
		}
	})
}

// nowhere is a path of which only the address is asked.
type nowhere struct{ Path }

func (nowhere) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1} }

func (nowhere) Close() error { return nil }

func TestAway_SocketThatFails_IsReplaced(t *testing.T) {
	s := &Server{byID: map[string]int{"id": 1}, current: 1}
	s.owned.Add(1)
	r := &relay{Path: nowhere{}, s: s, id: "id"}
	first, err := r.socket()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := r.socket(); err != nil || again != first {
		t.Errorf("another socket, %v", err)
	}
	_ = first.Close()
	for next := first; next == first; {
		if next, err = r.socket(); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	s.owned.Wait() // for both that have received
	if _, err := r.socket(); err == nil {
		t.Error("a socket of a relay that is closed")
	}
}
