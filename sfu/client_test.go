package sfu

import (
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/anteroom/anteroom/sfu/transport"
)

const wait = 15 * time.Second

// start runs an SFU on loopback until the test's end.
func start(t *testing.T) *SFU {
	t.Helper()
	tr, err := transport.Listen(transport.Config{Listen: netip.MustParseAddrPort("127.0.0.1:0"), Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	s := New(Config{Transport: tr})
	t.Cleanup(func() {
		s.Close()
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// client is a browser's stand-in: a Pion PeerConnection with the fixed m-lines that sends marked
// packets and keeps what it receives, by slot line.
type client struct {
	t    *testing.T
	pc   *webrtc.PeerConnection
	peer *Peer
	mark byte // in every payload it sends

	connected chan struct{}
	audio     *webrtc.TrackLocalStaticRTP
	videos    []*webrtc.TrackLocalStaticRTP // camera, content

	mu       sync.Mutex
	received map[string][]rtp.Packet
	plis     []time.Time
	deaf     bool // does not answer keyframe requests
	wantKey  []bool
	reports  []rtcp.Packet
}

type shape struct {
	pairs, contents int
	content         bool
	interceptors    []interceptor.Factory // nearest to the network first
}

func join(t *testing.T, s *SFU, mark byte, sh shape) *client {
	t.Helper()
	c := &client{
		t: t, mark: mark, connected: make(chan struct{}), received: map[string][]rtp.Packet{},
	}
	c.pc = newPeerConnection(t, sh)
	c.audio = c.send(0, webrtc.MimeTypeOpus)
	c.videos = append(c.videos, c.send(1, webrtc.MimeTypeVP8))
	if sh.content {
		c.videos = append(c.videos, c.send(2, webrtc.MimeTypeVP8))
	}
	c.wantKey = make([]bool, len(c.videos))
	for range sh.pairs {
		c.watch(webrtc.RTPCodecTypeAudio)
		c.watch(webrtc.RTPCodecTypeVideo)
	}
	for range sh.contents {
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
	c.publish()
	return c
}

func newPeerConnection(t *testing.T, sh shape) *webrtc.PeerConnection {
	t.Helper()
	var media webrtc.MediaEngine
	if err := media.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	registry := &interceptor.Registry{}
	for _, f := range sh.interceptors {
		registry.Add(f)
	}
	if err := webrtc.RegisterDefaultInterceptors(&media, registry); err != nil {
		t.Fatal(err)
	}
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetSRTPReplayProtectionWindow(1024) // as in Chromium and Firefox
	api := webrtc.NewAPI(webrtc.WithMediaEngine(&media), webrtc.WithSettingEngine(settings),
		webrtc.WithInterceptorRegistry(registry))
	pc, err := api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
	if err != nil {
		t.Fatal(err)
	}
	return pc
}

// send adds a line that the client sends on, and counts keyframe requests for it.
func (c *client) send(line int, mime string) *webrtc.TrackLocalStaticRTP {
	c.t.Helper()
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, mime, "own")
	if err != nil {
		c.t.Fatal(err)
	}
	tr, err := c.pc.AddTransceiverFromTrack(track,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		c.t.Fatal(err)
	}
	go func() { // ends with the PeerConnection
		for {
			pkts, _, err := tr.Sender().ReadRTCP()
			if err != nil {
				return
			}
			c.noteFeedback(line, pkts)
		}
	}()
	return track
}

func (c *client) noteFeedback(line int, pkts []rtcp.Packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reports = append(c.reports, pkts...)
	for _, p := range pkts {
		if _, ok := p.(*rtcp.PictureLossIndication); ok && line > 0 {
			c.plis = append(c.plis, time.Now())
			c.wantKey[line-1] = !c.deaf
		}
	}
}

func (c *client) watch(kind webrtc.RTPCodecType) {
	c.t.Helper()
	_, err := c.pc.AddTransceiverFromKind(kind,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	if err != nil {
		c.t.Fatal(err)
	}
}

// read keeps what comes on one slot line, named by its track id.
func (c *client) read(r *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	go func() {
		for {
			pkts, _, err := receiver.ReadRTCP()
			if err != nil {
				return
			}
			c.noteFeedback(0, pkts)
		}
	}()
	for {
		p, _, err := r.ReadRTP()
		if err != nil {
			return
		}
		c.mu.Lock()
		c.received[r.ID()] = append(c.received[r.ID()], *p)
		c.mu.Unlock()
	}
}

func (c *client) negotiate(s *SFU) {
	c.t.Helper()
	gathered := webrtc.GatheringCompletePromise(c.pc)
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.pc.SetLocalDescription(offer); err != nil {
		c.t.Fatal(err)
	}
	<-gathered
	p, answer, err := s.NewPeer(c.pc.LocalDescription().SDP, PeerOptions{ID: string(c.mark)})
	if err != nil {
		c.t.Fatal(err)
	}
	c.peer = p
	err = c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
	if err != nil {
		c.t.Fatalf("%v\n%s", err, answer)
	}
	select {
	case <-c.connected:
	case <-time.After(wait):
		c.t.Fatal("not connected")
	}
}

// publish sends 50 audio packets and 25 frames of two packets a second on each line until the test's end.
func (c *client) publish() {
	stop, done := make(chan struct{}), make(chan struct{})
	c.t.Cleanup(func() { close(stop); <-done })
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		voice := rtp.Packet{Header: rtp.Header{Version: 2}, Payload: []byte{c.mark, 1, 2, 3}}
		cameras := make([]camera, len(c.videos))
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			voice.SequenceNumber++
			voice.Timestamp += 960
			_ = c.audio.WriteRTP(&voice)
			if n%2 == 1 {
				continue
			}
			for i, track := range c.videos {
				for _, p := range cameras[i].frame(c.mark, c.takeWantKey(i)) {
					_ = track.WriteRTP(&p)
				}
			}
		}
	}()
}

func (c *client) takeWantKey(i int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	want := c.wantKey[i]
	c.wantKey[i] = false
	return want
}

// camera makes VP8 frames that look like an encoder's.
type camera struct {
	seq    uint16
	ts     uint32
	pid    uint16
	tl0    uint8
	keyIdx uint8
	n      int
}

// frame returns the two packets of the next frame; the first one ever is a keyframe. The mark is their last
// byte.
func (c *camera) frame(mark byte, key bool) []rtp.Packet {
	key = key || c.n == 0
	c.n++
	c.pid = (c.pid + 1) & 0x7fff
	c.ts += 3600
	c.tl0++
	if key {
		c.keyIdx = (c.keyIdx + 1) & 0x1f
	}
	var pkts []rtp.Packet
	for i := range 2 {
		c.seq++
		d := vp8Descriptor{hasPID: true, pid: c.pid, hasTL0: true, tl0: c.tl0, hasTID: true, hasKey: true, tidKey: c.keyIdx}
		header := byte(1) // P: not a keyframe
		if i == 0 {
			d.first = vp8S
			if key {
				header = 0
			}
		}
		payload := append(d.appendTo(nil), header, mark)
		pkts = append(pkts, rtp.Packet{
			Header:  rtp.Header{Version: 2, SequenceNumber: c.seq, Timestamp: c.ts, Marker: i == 1},
			Payload: payload,
		})
	}
	return pkts
}

// packets returns what came on the line so far.
func (c *client) packets(line string) []rtp.Packet {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.received[line])
}

// until waits until ok holds.
func (c *client) until(what string, ok func() bool) {
	c.t.Helper()
	deadline, again := time.After(wait), time.NewTicker(5*time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-deadline:
			c.t.Fatalf("%c: no %s within %v", c.mark, what, wait)
		}
	}
}

// sees waits until n more packets than seen so far of the mark have come on the line.
func (c *client) sees(line string, mark byte, n int) {
	c.t.Helper()
	from := len(c.packets(line))
	c.until(string(mark)+" on "+line, func() bool {
		pkts := c.packets(line)
		return countMarked(pkts[min(from, len(pkts)):], mark) >= n
	})
}

func countMarked(pkts []rtp.Packet, mark byte) (n int) {
	for _, p := range pkts {
		if p.Payload[0] == mark || p.Payload[len(p.Payload)-1] == mark {
			n++
		}
	}
	return n
}

// answerKeyframeRequests says whether the client makes a keyframe when it is asked; at first it does.
func (c *client) answerKeyframeRequests(yes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaf = !yes
}

// requests returns when keyframes were asked for.
func (c *client) requests() []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.plis)
}
