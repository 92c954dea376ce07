package transport

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const wait = 10 * time.Second

// listen starts a transport on loopback that the test's end closes.
func listen(t *testing.T, cfg Config) *Transport {
	t.Helper()
	if !cfg.Listen.IsValid() {
		cfg.Listen = netip.MustParseAddrPort("127.0.0.1:0")
	}
	tr, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	})
	return tr
}

// recorder is a Handler that tells a test what came.
type recorder struct {
	rtp    chan *rtp.Packet
	rtcp   chan []byte
	states chan State
}

func newRecorder() *recorder {
	return &recorder{rtp: make(chan *rtp.Packet, 4096), rtcp: make(chan []byte, 4096), states: make(chan State, 64)}
}

func (r *recorder) RTP(p *Packet) {
	select {
	case r.rtp <- (&rtp.Packet{Header: p.Header, Payload: p.Payload}).Clone():
	default:
	}
}

func (r *recorder) RTCP(_ *Batch, b []byte) {
	select {
	case r.rtcp <- slices.Clone(b):
	default:
	}
}

func (r *recorder) State(s State) { r.states <- s }

// reach waits until the handler is told of a phase and returns that state.
func (r *recorder) reach(t *testing.T, phase Phase) State {
	t.Helper()
	for {
		if s := receive(t, r.states, phase.String()); s.Phase == phase {
			return s
		}
	}
}

func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(wait):
		t.Fatalf("no %s within %v", what, wait)
		panic("unreachable")
	}
}

// takeAll accepts every audio and video line with its first codec that is Opus or VP8, and sends
// on the lines that the client wants to receive on.
func takeAll(h Handler) func(*Offer) (Accepted, error) {
	return func(o *Offer) (Accepted, error) {
		a := Accepted{Handler: h, StartBitrateKbps: 600}
		for i, m := range o.Media {
			k := slices.IndexFunc(m.Codecs, func(c Codec) bool { return c.Name == "VP8" || c.Name == "opus" })
			if k < 0 {
				a.Media = append(a.Media, AcceptedMedia{Reject: true})
				continue
			}
			taken := AcceptedMedia{Codecs: m.Codecs[k : k+1], Extensions: m.Extensions}
			if m.Send {
				taken.SSRC, taken.StreamID, taken.TrackID, taken.CNAME = uint32(1000+i), "s"+m.MID, string(m.Kind), "c"
				if m.Codecs[k].RTXPT != 0 {
					taken.RTXSSRC = uint32(2000 + i)
				}
			}
			a.Media = append(a.Media, taken)
		}
		return a, nil
	}
}

// client is a Pion PeerConnection with a browser's fixed m-lines: audio and video sent, then one
// pair received.
type client struct {
	pc           *webrtc.PeerConnection
	audio, video *webrtc.TrackLocalStaticRTP
	states       chan webrtc.PeerConnectionState
	tracks       chan *webrtc.TrackRemote
}

func newClient(t *testing.T, tune ...func(*webrtc.SettingEngine)) *client {
	t.Helper()
	var media webrtc.MediaEngine
	if err := media.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	for _, f := range tune {
		f(&settings)
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(&media), webrtc.WithSettingEngine(settings),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	pc, err := api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{
		pc:     pc,
		states: make(chan webrtc.PeerConnectionState, 16),
		tracks: make(chan *webrtc.TrackRemote, 16),
	}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { c.states <- s })
	pc.OnTrack(func(r *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { c.tracks <- r })
	c.audio = c.send(t, webrtc.MimeTypeOpus)
	c.video = c.send(t, webrtc.MimeTypeVP8)
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		_, err := pc.AddTransceiverFromKind(kind,
			webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c *client) send(t *testing.T, mime string) *webrtc.TrackLocalStaticRTP {
	t.Helper()
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, mime, "own")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.pc.AddTransceiverFromTrack(track,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		t.Fatal(err)
	}
	return track
}

// offer returns the complete offer, candidates gathered.
func (c *client) offer(t *testing.T) string {
	t.Helper()
	gathered := webrtc.GatheringCompletePromise(c.pc)
	o, err := c.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.pc.SetLocalDescription(o); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return c.pc.LocalDescription().SDP
}

func (c *client) accept(t *testing.T, answer string) {
	t.Helper()
	err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
	if err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
}

// connect joins c to the transport and waits until both ends are connected.
func (c *client) connect(t *testing.T, tr *Transport) (*Peer, *recorder) {
	t.Helper()
	r := newRecorder()
	p, answer, err := tr.Accept(c.offer(t), takeAll(r))
	if err != nil {
		t.Fatal(err)
	}
	c.accept(t, answer)
	r.reach(t, Connected)
	c.reach(t, webrtc.PeerConnectionStateConnected)
	return p, r
}

func (c *client) reach(t *testing.T, want webrtc.PeerConnectionState) {
	t.Helper()
	for receive(t, c.states, want.String()) != want {
	}
}
