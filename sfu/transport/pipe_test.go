package transport

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

func newPipe(t *testing.T, tr *Transport) *Pipe {
	t.Helper()
	c, err := tr.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestPipe_CheckThroughIt_IsAnsweredThroughIt(t *testing.T) {
	tr := listen(t, Config{})
	p, r := accepted(t, tr)
	c := newPipe(t, tr)
	q := (&prober{p: p}).request()
	if n, err := c.WriteTo(q.Raw, net.UDPAddrFromAddrPort(tr.Addr())); err != nil || n != len(q.Raw) {
		t.Fatalf("%d, %v", n, err)
	}
	r.reach(t, Connecting)
	b := make([]byte, maxDatagram)
	n, from, err := c.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	var mapped stun.XORMappedAddress
	m := &stun.Message{Raw: b[:n]}
	if err := errors.Join(m.Decode(), mapped.GetFrom(m)); err != nil || m.TransactionID != q.TransactionID {
		t.Fatalf("%v, %v", m, err)
	}
	if mapped.String() != c.LocalAddr().String() || from.String() != tr.Addr().String() {
		t.Errorf("mapped %v from %v, want %v from %v", mapped, from, c.LocalAddr(), tr.Addr())
	}
	if s := p.Stats(); !s.Relayed || s.Remote != c.addr {
		t.Errorf("stats %+v", s)
	}
}

func TestPipe_ToElsewhereOrTooLarge_Fails(t *testing.T) {
	tr := listen(t, Config{})
	c := newPipe(t, tr)
	ours := net.UDPAddrFromAddrPort(tr.Addr())
	other := &net.UDPAddr{IP: ours.IP, Port: ours.Port ^ 1}
	for _, tc := range []struct {
		size int
		to   net.Addr
		want error
	}{
		{1, other, ErrNotOurs},
		{1, &net.TCPAddr{IP: ours.IP, Port: ours.Port}, ErrNotOurs},
		{maxDatagram + 1, ours, ErrTooLarge},
	} {
		if _, err := c.WriteTo(make([]byte, tc.size), tc.to); !errors.Is(err, tc.want) {
			t.Errorf("%d bytes to %v: %v, want %v", tc.size, tc.to, err, tc.want)
		}
	}
}

func TestPipe_Closed_EndsReadersAndHoldsNothing(t *testing.T) {
	tr := listen(t, Config{})
	c := newPipe(t, tr)
	ended := make(chan error)
	go func() {
		_, _, err := c.ReadFrom(make([]byte, 1))
		ended <- err
	}()
	_ = c.Close()
	if err := receive(t, ended, "end of the read"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read: %v", err)
	}
	c.put(newDatagram(nil, nil))
	if len(c.queue) != 0 {
		t.Error("a datagram is kept that nobody will read")
	}
	if _, err := c.WriteTo([]byte{1}, net.UDPAddrFromAddrPort(tr.Addr())); !errors.Is(err, ErrClosed) {
		t.Errorf("write: %v", err)
	}
}

func TestPipe_ReaderThatDoesNotRead_LosesWhatDoesNotFit(t *testing.T) {
	tr := listen(t, Config{})
	c := newPipe(t, tr)
	for range pipeQueue + 10 {
		c.put(newDatagram(nil, nil))
	}
	if len(c.queue) != pipeQueue {
		t.Errorf("%d datagrams wait", len(c.queue))
	}
	_ = c.SetDeadline(time.Now().Add(-time.Second))
	if _, _, err := c.ReadFrom(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read after the deadline: %v", err)
	}
}

func TestPipe_FourForEachPeer_NoMore(t *testing.T) {
	tr := listen(t, Config{MaxPeers: 1})
	for range pipesPerPeer {
		newPipe(t, tr)
	}
	if _, err := tr.Pipe(); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	for c := range tr.pipes {
		_ = c.Close()
		break
	}
	newPipe(t, tr)
}

func TestPipeAddr_EachDiffers_WithinItsBlock(t *testing.T) {
	seen := map[netip.AddrPort]bool{}
	for _, n := range []uint32{0, 1, 1<<16 - 1, 1 << 16, 1<<16 + 1, 1<<30 - 1} {
		a := pipeAddr(n)
		if !pipeBlock.Contains(a.Addr()) || a.Port() < 1<<15 || seen[a] {
			t.Errorf("address %d is %v", n, a)
		}
		seen[a] = true
	}
}
