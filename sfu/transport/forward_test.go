package transport

import (
	"net/netip"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/anteroom/anteroom/internal/udp"
)

// forwarder writes what it is given to a viewer, as a slot does.
type forwarder struct {
	to     *Peer
	header rtp.Header
	wrote  int
}

func (f *forwarder) RTP(p *Packet) {
	f.header = p.Header
	if f.to.WriteRTP(p.Via, &f.header, p.Payload) == nil {
		f.wrote++
	}
}
func (*forwarder) RTCP(*Batch, []byte) {}
func (*forwarder) State(State)         {}

// nowhere takes what a batch sends.
type nowhere struct{ sent int }

func (n *nowhere) Write(ds []udp.Datagram) int {
	n.sent += len(ds)
	return 0
}

// burst returns a function that takes n packets in and sends what they cause, as a loop does after a read, without sockets.
func burst(t testing.TB, n int) (forward func(), f *forwarder, out *nowhere) {
	t.Helper()
	tr, err := Listen(Config{Loopback: true, Listen: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tr.Close() })
	f, out = &forwarder{}, &nowhere{}
	publisher, viewer := keyed(t, tr, f), keyed(t, tr, newRecorder())
	f.to = viewer.p
	viewer.p.seal.Lock()
	viewer.p.sealer, err = srtp.CreateContext([]byte("a key of 16 byte"), []byte("salt of 12 b"), srtp.ProtectionProfileAeadAes128Gcm)
	viewer.p.seal.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	viewer.p.selected.Store(newRoute(path{addr: netip.MustParseAddrPort("127.0.0.1:9")}))
	in := &publisher.in
	in.out = tr.NewBatch()
	in.out.writer = out
	var seq uint16
	var header rtp.Header
	plain, buf := make([]byte, 12+1180), make([]byte, maxDatagram)
	plain[0], plain[1], plain[11] = 0x80, 96, 1
	return func() {
		for range n {
			seq++
			plain[2], plain[3] = byte(seq>>8), byte(seq)
			sealed, err := publisher.keys.EncryptRTP(buf[:0], plain, &header)
			if err != nil {
				t.Fatal(err)
			}
			publisher.p.receiveMedia(in, sealed)
		}
		in.out.Flush()
	}, f, out
}

func TestForward_AllocatesNothing(t *testing.T) {
	const n = 5
	forward, f, out := burst(t, n)
	allocs := testing.AllocsPerRun(200, forward)
	if allocs != 0 || f.wrote != 201*n || out.sent != f.wrote {
		t.Errorf("%v allocations for %d packets; %d written, %d sent", allocs, n, f.wrote, out.sent)
	}
}

// BenchmarkForward opens and seals a packet of 1,180 bytes on one core, without system calls; the time includes the sealing of
// the packet that comes.
func BenchmarkForward(b *testing.B) {
	forward, _, _ := burst(b, 1)
	b.ReportAllocs()
	for b.Loop() {
		forward()
	}
}
