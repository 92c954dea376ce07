package transport

import (
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// mined is a handler that panics once, when something happens.
type mined struct {
	*recorder
	mine *atomic.Value // string; empty: not
}

func newMined(at string) mined {
	m := mined{newRecorder(), new(atomic.Value)}
	m.mine.Store(at)
	return m
}

func (m mined) step(at string) {
	if m.mine.CompareAndSwap(at, "") {
		panic("mined")
	}
}

func (m mined) RTP(p *Packet) {
	m.step("packet")
	m.recorder.RTP(p)
}

func (m mined) RTCP(via *Batch, b []byte) {
	m.step("report")
	m.recorder.RTCP(via, b)
}

func (m mined) State(s State) {
	m.recorder.State(s)
	m.step(s.Phase.String())
}

func TestPanic_OverOnePeer_EndsItAloneAndIsToldOnce(t *testing.T) {
	for _, at := range []string{"packet", "report", Connecting.String(), Connected.String(), Disconnected.String(), Closed.String()} {
		t.Run(at, func(t *testing.T) {
			core, seen := observer.New(zap.ErrorLevel)
			tr := listen(t, Config{Logger: zap.New(core)})
			beside := newClient(t)
			peer, heard := beside.connect(t, tr)

			struck, m := newClient(t), newMined(at)
			p, answer, err := tr.Accept(struck.offer(t), takeAll(m))
			if err != nil {
				t.Fatal(err)
			}
			struck.accept(t, answer)
			want := ReasonPanic
			if at != Connecting.String() {
				m.reach(t, Connected)
			}
			switch at {
			case "packet":
				defer repeat(t, func(seq uint16) { _ = struck.audio.WriteRTP(sound(seq)) })()
			case "report":
				defer repeat(t, func(uint16) {
					_ = struck.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: 1003}})
				})()
			case Disconnected.String():
				_ = struck.pc.GracefulClose() // so that no check of its own comes between
				tr.guarded(p, func(p *Peer) { p.expire(silentFor(p, consentTimeout)) })
			case Closed.String():
				p.Close()
				want = ReasonLocal
			}
			if s := m.reach(t, Closed); s.Reason != want {
				t.Errorf("closed for %q", s.Reason)
			}

			stop := repeat(t, func(seq uint16) { _ = beside.audio.WriteRTP(sound(seq)) })
			receive(t, heard.rtp, "packet beside it")
			stop()
			peer.Close() // whoever buries the closed goes on
			heard.reach(t, Closed)
			if n := tr.Counters().Panics; n != 1 || seen.FilterMessage("media_panic").Len() != 1 {
				t.Errorf("%d counted, logged %v", n, seen.All())
			}
		})
	}
}

func sound(seq uint16) *rtp.Packet {
	return &rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: seq}, Payload: []byte("sound")}
}

func TestPanic_OverNobodysDatagrams_IsCountedAndSeldomLogged(t *testing.T) {
	core, seen := observer.New(zap.ErrorLevel)
	tr := listen(t, Config{Logger: zap.New(core)})
	in := inbound{t: tr, out: tr.NewBatch()}
	for range 3 {
		func() {
			defer in.recovered()
			panic("boom")
		}()
	}
	in.datagram([]byte{200, 1}, path{addr: netip.MustParseAddrPort("127.0.0.1:9")}) // and goes on
	if n, c := tr.Counters().Panics, tr.Counters(); n != 3 || c.Unknown != 1 || seen.Len() != 1 {
		t.Errorf("%d counted, %+v, logged %v", n, c, seen.All())
	}
}
