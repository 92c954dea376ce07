package sfu

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// answerable is for how long the server certainly has a packet, at the rate of this test, to answer a request for it.
const answerable = 500 * time.Millisecond

// judgedFrames is for how many frames a recovery is judged; frames go on after them, so that a loss among the last shows.
const judgedFrames = 200

// Through loss, reordering, duplication and jitter in both directions of both connections, everything that a request could
// have brought is there. The deadlines are those of the rules: a publisher is asked maxNACKs times for a packet, and a viewer is
// answered while the packet is answerable. Within them
//
//   - what reached the server was written to the viewer once, and what was not was asked for as often as the rules say;
//   - each request of the viewer that reached the server was answered, and no other packet was sent again;
//   - what got through to the viewer is there once, and nothing else is.
func TestRecovery_NothingIsMissingThatARequestCouldHaveBrought(t *testing.T) {
	for i, percent := range []int{0, 2, 5, 10, 20} {
		t.Run(fmt.Sprintf("%d%% lost", percent), func(t *testing.T) {
			t.Parallel()
			r := newRecovery(t, conditions{
				seed: uint64(i + 1), loss: float64(percent) / 100, duplicate: 0.02, reorder: 0.02, jitter: 50 * time.Millisecond,
			})
			r.run(t)
			r.judgeWayUp(t)
			r.judgeWayDown(t)
			r.judgeAudio(t)
			r.tell(t)
		})
	}
}

// recovery is a publisher and a viewer with paths between them and the server.
type recovery struct {
	publisher, viewer *client
	up                *path         // of the publisher's packets
	down              *path         // of those to the viewer
	toPublisher       *impairedWire // requests
	toViewer          *impairedWire // media
	asking            *impairedClient
	paths             []*path
	conditions        conditions
}

func newRecovery(t *testing.T, c conditions) *recovery {
	s := start(t)
	r := &recovery{conditions: c}
	for salt := range uint64(4) {
		r.paths = append(r.paths, newPath(salt))
	}
	r.up, r.down = r.paths[0], r.paths[1]
	r.asking = newImpairedClient(r.paths[2])
	r.publisher = joinSilently(t, s, 'p', shape{interceptors: []interceptor.Factory{newImpairedClient(r.up)}})
	r.viewer = joinSilently(t, s, 'v', shape{pairs: 1, interceptors: []interceptor.Factory{r.asking}})
	r.toPublisher = impair(r.publisher.peer, r.paths[3])
	r.toViewer = impair(r.viewer.peer, r.down)
	t.Cleanup(func() {
		for _, p := range r.paths {
			p.close()
		}
	})
	return r
}

// joinSilently is join for a client that publishes by itself.
func joinSilently(t *testing.T, s *SFU, mark byte, sh shape) *client {
	t.Helper()
	c := &client{t: t, mark: mark, connected: make(chan struct{}), received: map[string][]rtp.Packet{}, wantKey: make([]bool, 1)}
	c.pc = newPeerConnection(t, sh)
	c.audio = c.send(0, webrtc.MimeTypeOpus)
	c.videos = append(c.videos, c.send(1, webrtc.MimeTypeVP8))
	for range sh.pairs {
		c.watch(webrtc.RTPCodecTypeAudio)
		c.watch(webrtc.RTPCodecTypeVideo)
	}
	c.pc.OnTrack(c.read)
	c.pc.OnConnectionStateChange(func(st webrtc.PeerConnectionState) {
		if st == webrtc.PeerConnectionStateConnected {
			close(c.connected)
		}
	})
	t.Cleanup(func() { _ = c.pc.GracefulClose() })
	c.negotiate(s)
	return c
}

// run publishes 50 audio packets and 50 frames of two packets a second until the judged ones have arrived or are given up.
// The paths are impaired between the beginning, so that both sides know of the first packet, and the end, when nothing is
// to remain under way.
func (r *recovery) run(t *testing.T) {
	r.publisher.peer.SetGate(true)
	r.viewer.peer.Point([]*Peer{r.publisher.peer}, nil)
	var cam camera
	word := rtp.Packet{Header: rtp.Header{Version: 2}}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(wait)
	const begun, judged = 1, 2
	for phase := 0; ; {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("after %v in phase %d: missing and not given up %v, delivered and read %+v", wait, phase, r.unsettled(cam.seq), r.balance())
		}
		switch b := r.balance(); {
		case phase == 0 && b.videoDownRead > 0 && b.audioDownRead > 0:
			phase = begun
			r.become(r.conditions)
		case phase == begun && cam.n > judgedFrames && len(r.unsettled(2*judgedFrames)) == 0:
			phase = judged
			r.become(conditions{})
		case phase == judged && r.empty() && b == r.balance().even() && len(r.unsettled(cam.seq)) == 0:
			return
		}
		word.SequenceNumber++
		word.Timestamp += 960
		word.Payload = binary.BigEndian.AppendUint32(nil, uint32(word.SequenceNumber))
		_ = r.publisher.audio.WriteRTP(&word)
		for _, p := range cam.frame('p', r.publisher.takeWantKey(0)) {
			p.Payload = binary.BigEndian.AppendUint32(p.Payload, uint32(p.SequenceNumber))
			_ = r.publisher.videos[0].WriteRTP(&p)
		}
	}
}

func (r *recovery) become(c conditions) {
	for _, p := range r.paths {
		p.become(c)
	}
}

func (r *recovery) empty() bool {
	return !slices.ContainsFunc(r.paths, func(p *path) bool { return !p.empty() })
}

// unsettled returns the video packets up to last that the viewer lacks and that may still come.
func (r *recovery) unsettled(last uint16) (of []uint16) {
	videos, _ := r.toViewer.written()
	seen := byID(r.viewer.packets("slot0video"))
	written := make(map[uint16]time.Time)
	for _, w := range videos {
		written[idOf(w.Packet)] = w.at
	}
	asks := r.toPublisher.asked()
	for n := idOf(videos[0].Packet); n <= last; n++ {
		at := asks[n]
		givenUp := len(at) == maxNACKs && time.Since(at[maxNACKs-1]) > 10*nackInterval
		if w, ok := written[n]; ok {
			givenUp = time.Since(w) > 5*answerable
		}
		if len(seen[n]) == 0 && !givenUp {
			of = append(of, n)
		}
	}
	return of
}

// balance is how many packets of each part the paths delivered, and how many were read behind them.
type balance struct {
	videoUp, audioUp, videoDown, audioDown                 int
	videoUpRead, audioUpRead, videoDownRead, audioDownRead int
}

// even is what the balance is when nothing is under way.
func (b balance) even() balance {
	b.videoUpRead, b.audioUpRead, b.videoDownRead, b.audioDownRead = b.videoUp, b.audioUp, b.videoDown, b.audioDown
	return b
}

func (r *recovery) balance() balance {
	videos, audios := r.toViewer.written()
	if len(videos) == 0 || len(audios) == 0 {
		return balance{}
	}
	return balance{
		videoUp: r.up.distinct(idOf(videos[0].Packet), partVideo, partRTX), videoUpRead: len(videos),
		audioUp: r.up.distinct(idOf(audios[0].Packet), partAudio), audioUpRead: len(audios),
		videoDown: r.down.count(partVideo) + r.down.count(partRTX), videoDownRead: len(r.viewer.packets("slot0video")),
		audioDown: r.down.count(partAudio), audioDownRead: len(r.viewer.packets("slot0audio")),
	}
}

// idOf returns the publisher's number of a packet.
func idOf(p rtp.Packet) uint16 {
	return uint16(binary.BigEndian.Uint32(p.Payload[len(p.Payload)-4:]))
}

func byID(pkts []rtp.Packet) map[uint16][]rtp.Packet {
	of := make(map[uint16][]rtp.Packet)
	for _, p := range pkts {
		of[idOf(p)] = append(of[idOf(p)], p)
	}
	return of
}
