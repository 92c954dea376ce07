package udp

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os/exec"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

func open(t *testing.T, at string, o Options) *Socket {
	t.Helper()
	s, err := Listen(netip.MustParseAddrPort(at), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// collect reads until it has n datagrams, copied.
func collect(t *testing.T, r Reader, n int) (got []Datagram) {
	t.Helper()
	for len(got) < n {
		ds, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range ds {
			d.Data = bytes.Clone(d.Data)
			got = append(got, d)
		}
	}
	return got
}

// Every way of writing reaches every way of reading: same datagrams, same order, whatever their sizes and destinations.
func TestSocket_AnyPathToAnyPath(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		for _, writePlain := range []bool{false, true} {
			for _, readPlain := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s plain write %v read %v", at, writePlain, readPlain), func(t *testing.T) {
					from := open(t, at, Options{Plain: writePlain, Buffer: 4 << 20})
					to := []*Socket{open(t, at, Options{Plain: readPlain, Buffer: 4 << 20}), open(t, at, Options{Plain: readPlain, Buffer: 4 << 20})}
					var sent []Datagram
					want := make([][]string, len(to))
					for i := range 300 {
						size := []int{1200, 1200, 1200, 700, 40}[i%5]
						k := i / 7 % len(to)
						d := Datagram{Data: bytes.Repeat([]byte{byte(i)}, size), Addr: to[k].LocalAddr()}
						sent = append(sent, d)
						want[k] = append(want[k], string(d.Data))
					}
					w := from.NewWriter(16)
					for len(sent) > 0 { // in portions that the receiver's buffer holds
						n := min(len(sent), 100)
						if refused := w.Write(sent[:n]); refused != 0 {
							t.Fatalf("%d refused", refused)
						}
						sent = sent[n:]
					}
					for k, s := range to {
						got := collect(t, s.NewReader(8), len(want[k]))
						for i, d := range got {
							if string(d.Data) != want[k][i] || d.Addr != from.LocalAddr() {
								t.Fatalf("datagram %d: %d bytes of %d from %v", i, len(d.Data), d.Data[0], d.Addr)
							}
						}
					}
				})
			}
		}
	}
}

func TestSocket_BothFamiliesOnOneSocket(t *testing.T) {
	both := open(t, "[::]:0", Options{})
	port := both.LocalAddr().Port()
	r := both.NewReader(4)
	for _, at := range []string{"127.0.0.1", "::1"} {
		far := open(t, netip.AddrPortFrom(netip.MustParseAddr(at), 0).String(), Options{})
		far.NewWriter(1).Write([]Datagram{{Data: []byte("ping"), Addr: netip.AddrPortFrom(netip.MustParseAddr(at), port)}})
		d := collect(t, r, 1)[0]
		if d.Addr != far.LocalAddr() {
			t.Fatalf("from %v, want %v", d.Addr, far.LocalAddr())
		}
		both.NewWriter(1).Write([]Datagram{{Data: []byte("pong"), Addr: d.Addr}})
		if got := collect(t, far.NewReader(1), 1)[0]; string(got.Data) != "pong" {
			t.Fatalf("got %q", got.Data)
		}
	}
}

func TestSocket_PacketInfo_TellsAndSetsTheLocalAddress(t *testing.T) {
	a := open(t, "0.0.0.0:0", Options{PacketInfo: true})
	b := open(t, "127.0.0.1:0", Options{})
	local := netip.MustParseAddr("127.0.7.9")
	a.NewWriter(1).Write([]Datagram{{Data: []byte("x"), Addr: b.LocalAddr(), Local: local}})
	got := collect(t, b.NewReader(1), 1)[0]
	if got.Addr.Addr() != local {
		t.Fatalf("came from %v", got.Addr)
	}
	b.NewWriter(1).Write([]Datagram{{Data: []byte("y"), Addr: got.Addr}})
	if back := collect(t, a.NewReader(1), 1)[0]; back.Local != local {
		t.Fatalf("was sent to %v", back.Local)
	}
}

func TestSocket_ReusePort_KeepsAFlowOnOneSocket(t *testing.T) {
	a := open(t, "127.0.0.1:0", Options{ReusePort: true})
	b := open(t, a.LocalAddr().String(), Options{ReusePort: true})
	readers := []Reader{a.NewReader(64), b.NewReader(64)}
	seen := map[netip.AddrPort]map[int]int{}
	const flows, each = 32, 10
	for range flows {
		far := open(t, "127.0.0.1:0", Options{})
		for range each {
			far.NewWriter(1).Write([]Datagram{{Data: []byte("x"), Addr: a.LocalAddr()}})
		}
	}
	total := 0
	for deadline := time.Now().Add(10 * time.Second); total < flows*each && time.Now().Before(deadline); {
		for i, r := range readers {
			ds, err := r.Poll()
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range ds {
				if seen[d.Addr] == nil {
					seen[d.Addr] = map[int]int{}
				}
				seen[d.Addr][i]++
				total++
			}
		}
	}
	used := map[int]bool{}
	for addr, by := range seen {
		if len(by) != 1 {
			t.Errorf("%v came to %d sockets", addr, len(by))
		}
		for i := range by {
			used[i] = true
		}
	}
	if total != flows*each || len(used) != 2 {
		t.Errorf("%d datagrams on %d sockets", total, len(used))
	}
}

func TestWriter_ARefusedDatagramCostsNoOther(t *testing.T) {
	from, to := open(t, "127.0.0.1:0", Options{}), open(t, "127.0.0.1:0", Options{})
	bad := Datagram{Data: make([]byte, 1<<16), Addr: to.LocalAddr()}
	good := func(s string) Datagram { return Datagram{Data: []byte(s), Addr: to.LocalAddr()} }
	if n := from.NewWriter(8).Write([]Datagram{good("a"), bad, good("b"), bad, good("c")}); n != 2 {
		t.Fatalf("%d refused", n)
	}
	var got []string
	for _, d := range collect(t, to.NewReader(8), 3) {
		got = append(got, string(d.Data))
	}
	if !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Fatalf("got %v", got)
	}
}

func TestReader_ClosingEndsRead(t *testing.T) {
	for _, plain := range []bool{false, true} {
		s := open(t, "127.0.0.1:0", Options{Plain: plain})
		done := make(chan error)
		go func() {
			_, err := s.NewReader(4).Read()
			done <- err
		}()
		_ = s.Close()
		if err := <-done; err == nil {
			t.Error("read something from a closed socket")
		}
		if n := s.NewWriter(4).Write([]Datagram{{Data: []byte("x"), Addr: loopback}, {Data: []byte("x"), Addr: loopback}}); n != 2 {
			t.Errorf("%d of 2 refused", n)
		}
	}
}

func TestReadAndWrite_AllocateNothing(t *testing.T) {
	from, to := open(t, "127.0.0.1:0", Options{}), open(t, "127.0.0.1:0", Options{})
	w, r := from.NewWriter(16), to.NewReader(16)
	var ds []Datagram
	for range 20 {
		ds = append(ds, Datagram{Data: make([]byte, 1200), Addr: to.LocalAddr()})
	}
	n := testing.AllocsPerRun(200, func() {
		w.Write(ds)
		for left := len(ds); left > 0; {
			got, err := r.Read()
			if err != nil {
				t.Fatal(err)
			}
			left -= len(got)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations for %d datagrams", n, len(ds))
	}
}

// A loop that always finds something to read must not keep a core for itself, even if the runtime was asleep before. Only with one core
// would it, so this test has one. What wakes the loop has to come from outside, as any system call of ours would wake the runtime too.
func TestReader_ThatIsNeverIdle_LetsOthersRun(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	s := open(t, "127.0.0.1:0", Options{})
	script := fmt.Sprintf("sleep 0.3; echo again >/dev/udp/127.0.0.1/%d; sleep 0.3", s.LocalAddr().Port())
	other := exec.Command("bash", "-c", script)
	end, err := other.StdoutPipe()
	if err == nil {
		err = other.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	var stop atomic.Bool
	go func() {
		defer close(stopped)
		r, w := s.NewReader(8), s.NewWriter(8)
		for began := time.Now(); !stop.Load(); {
			ds, err := r.Read()
			if err != nil || time.Since(began) > 20*time.Second {
				t.Errorf("nobody else ran: %v", err)
				return
			}
			for i := range ds {
				ds[i].Addr = s.LocalAddr() // to itself
			}
			w.Write(ds)
		}
	}()
	_, _ = io.Copy(io.Discard, end) // an event that the runtime has to look for
	stop.Store(true)
	<-stopped
	if err := other.Wait(); err != nil {
		t.Fatal(err)
	}
}
