package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5/stdnet"
	"github.com/pion/webrtc/v4"

	"github.com/anteroom/anteroom/signaling/wire"
)

// Slot pairs that devices offer.
const (
	PhoneSlots   = 4
	DesktopSlots = 6
)

const (
	opusPT = 111
	vp8PT  = 96
	rtxPT  = 97

	packetEvery = 20 * time.Millisecond // of a stream: one packet of each kind
)

// ErrPeerEnded says that a peer's connection failed or was closed.
var ErrPeerEnded = errors.New("client: the media connection ended")

// Peer is one WebRTC connection: it sends marked packets and counts what comes. It obeys no view: what
// is sent is sent, so that tests can break the rules. It is safe for concurrent use.
type Peer struct {
	pc     *webrtc.PeerConnection
	tap    *tap
	tracks map[Kind]*webrtc.TrackLocalStaticRTP
	sent   [2]atomic.Uint64 // packets of audio and of video
	reads  sync.WaitGroup

	mu      sync.Mutex // guards all below
	tally   Tally
	heard   func(Mark) // nil: nobody
	state   webrtc.PeerConnectionState
	changed pulse
}

// NewPeer makes a connection with the m-lines of the protocol and returns its offer. It uses loopback and
// the machine's addresses; each peer has its own API, since SSRCs and payload types of two must not mix.
func NewPeer(slots int) (*Peer, string, error) {
	return newPeer(slots, webrtc.Configuration{})
}

// NewRelayedPeer is NewPeer for a client whose media may go through these TURN servers only.
func NewRelayedPeer(slots int, servers []wire.ICEServer) (*Peer, string, error) {
	config := webrtc.Configuration{ICETransportPolicy: webrtc.ICETransportPolicyRelay}
	for _, s := range servers {
		config.ICEServers = append(config.ICEServers, webrtc.ICEServer{URLs: s.URLs, Username: s.Username, Credential: s.Credential})
	}
	return newPeer(slots, config)
}

func newPeer(slots int, config webrtc.Configuration) (*Peer, string, error) {
	network, err := stdnet.NewNet()
	if err != nil {
		return nil, "", err
	}
	p := &Peer{tap: &tap{Net: network}, tally: make(Tally), tracks: make(map[Kind]*webrtc.TrackLocalStaticRTP)}
	api, err := newAPI(p.tap)
	if err != nil {
		return nil, "", err
	}
	config.BundlePolicy, config.RTCPMuxPolicy = webrtc.BundlePolicyMaxBundle, webrtc.RTCPMuxPolicyRequire
	if p.pc, err = api.NewPeerConnection(config); err != nil {
		return nil, "", err
	}
	offer, err := p.offer(slots)
	if err != nil {
		p.Close()
		return nil, "", fmt.Errorf("make an offer: %w", err)
	}
	return p, offer, nil
}

func newAPI(network *tap) (*webrtc.API, error) {
	media := &webrtc.MediaEngine{}
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	codecs := []struct {
		kind  webrtc.RTPCodecType
		codec webrtc.RTPCodecParameters
	}{
		{webrtc.RTPCodecTypeAudio, codec(opusPT, webrtc.MimeTypeOpus, 48000, 2, "minptime=10;useinbandfec=1", nil)},
		{webrtc.RTPCodecTypeVideo, codec(vp8PT, webrtc.MimeTypeVP8, 90000, 0, "", feedback)},
		{webrtc.RTPCodecTypeVideo, codec(rtxPT, webrtc.MimeTypeRTX, 90000, 0, "apt=96", nil)},
	}
	for _, c := range codecs {
		if err := media.RegisterCodec(c.codec, c.kind); err != nil {
			return nil, err
		}
	}
	interceptors := &interceptor.Registry{}
	err := errors.Join(
		webrtc.ConfigureNack(media, interceptors),
		webrtc.ConfigureRTCPReports(interceptors),
		webrtc.ConfigureTWCCSender(media, interceptors),
	)
	if err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{}
	settings.SetNet(network)
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetRelayAcceptanceMinWait(0) // where there is only the relay, there is nothing to wait for
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	return webrtc.NewAPI(
		webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(interceptors), webrtc.WithSettingEngine(settings),
	), nil
}

func codec(pt webrtc.PayloadType, mime string, rate uint32, channels uint16, fmtp string, feedback []webrtc.RTCPFeedback) webrtc.RTPCodecParameters {
	return webrtc.RTPCodecParameters{
		PayloadType: pt,
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: mime, ClockRate: rate, Channels: channels, SDPFmtpLine: fmtp, RTCPFeedback: feedback,
		},
	}
}

// offer adds the m-lines in the protocol's order.
func (p *Peer) offer(slots int) (string, error) {
	for kind, mime := range map[Kind]string{Audio: webrtc.MimeTypeOpus, Video: webrtc.MimeTypeVP8} {
		track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, string(kind), "own")
		if err != nil {
			return "", err
		}
		p.tracks[kind] = track
	}
	for _, kind := range []Kind{Audio, Video} {
		t, err := p.pc.AddTransceiverFromTrack(p.tracks[kind], webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			return "", err
		}
		p.reads.Go(func() { drain(t.Sender()) })
	}
	receivers := make(map[*webrtc.RTPReceiver]Key)
	for slot := range slots {
		for _, kind := range []Kind{Audio, Video} {
			t, err := p.pc.AddTransceiverFromKind(webrtc.NewRTPCodecType(string(kind)),
				webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
			if err != nil {
				return "", err
			}
			receivers[t.Receiver()] = Key{Slot: slot, Kind: kind}
		}
	}
	p.pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		p.receive(track, receivers[receiver])
	})
	p.pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.state = state
		p.changed.fire()
	})
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		return "", err
	}
	return offer.SDP, p.pc.SetLocalDescription(offer)
}

// drain reads a sender's RTCP, which is what makes Pion answer it.
func drain(sender *webrtc.RTPSender) {
	for {
		if _, _, err := sender.ReadRTCP(); err != nil {
			return
		}
	}
}

// receive counts a track's packets until the peer is closed.
func (p *Peer) receive(track *webrtc.TrackRemote, key Key) {
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		mark, n, _ := readMark(packet.Payload)
		key.Mark = mark
		p.mu.Lock()
		p.tally.add(key, n)
		if p.heard != nil {
			p.heard(mark)
		}
		p.changed.fire()
		p.mu.Unlock()
	}
}

// Answer takes the server's answer.
func (p *Peer) Answer(sdp string) error {
	return p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp})
}

// WaitConnected waits until ICE and DTLS are up.
func (p *Peer) WaitConnected(ctx context.Context) error {
	err := p.waitState(ctx, webrtc.PeerConnectionStateConnected)
	if err == nil && p.ended() {
		return ErrPeerEnded
	}
	return err
}

// WaitEnded waits until the connection has failed or was closed, by either side.
func (p *Peer) WaitEnded(ctx context.Context) error { return p.waitState(ctx) }

// waitState waits for one of these states, or for the end.
func (p *Peer) waitState(ctx context.Context, states ...webrtc.PeerConnectionState) error {
	return await(ctx, &p.mu, &p.changed, func() bool { return slices.Contains(states, p.state) || p.over() })
}

func (p *Peer) over() bool {
	return p.state == webrtc.PeerConnectionStateFailed || p.state == webrtc.PeerConnectionStateClosed
}

func (p *Peer) ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.over()
}

// Send sends n packets of each kind with a mark, at once. Each video packet is a whole key frame.
func (p *Peer) Send(mark Mark, n int) error {
	for range n {
		if err := errors.Join(p.send(Audio, 0, 960, mark), p.send(Video, 1, 1800, mark)); err != nil {
			return err
		}
	}
	return nil
}

// send sends the next packet of a kind; step is 20 ms in the kind's clock. Pion fills in SSRC and type.
func (p *Peer) send(kind Kind, index int, step uint32, mark Mark) error {
	n := p.sent[index].Add(1)
	return p.tracks[kind].WriteRTP(&rtp.Packet{
		Header: rtp.Header{
			Version: 2, Marker: kind == Video,
			SequenceNumber: uint16(n), Timestamp: uint32(n) * step, //nolint:gosec // both wrap (RFC 3550 section 5.1)
		},
		Payload: payload(kind, mark, n),
	})
}

// Stream sends one packet of each kind every 20 ms until ctx ends; mark is asked before each.
func (p *Peer) Stream(ctx context.Context, mark func() Mark) error {
	ticker := time.NewTicker(packetEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := p.Send(mark(), 1); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// Tally is a copy of what was received so far.
func (p *Peer) Tally() Tally {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.tally)
}

// Wait waits until what was received is as wanted. The tally is only lent.
func (p *Peer) Wait(ctx context.Context, wanted func(Tally) bool) error {
	var wantedNow bool
	err := await(ctx, &p.mu, &p.changed, func() bool {
		wantedNow = wanted(p.tally)
		return wantedNow || p.over()
	})
	if err == nil && !wantedNow {
		return ErrPeerEnded
	}
	return err
}

// WaitMark waits until n packets of each kind with a mark have come.
func (p *Peer) WaitMark(ctx context.Context, mark Mark, n int) error {
	return p.Wait(ctx, func(t Tally) bool { return t.Of(Audio, mark) >= n && t.Of(Video, mark) >= n })
}

// OnPacket calls a function, which must not wait, for each packet of media that comes from now on.
func (p *Peer) OnPacket(heard func(Mark)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = heard
}

// Datagrams counts what has passed the peer's sockets.
func (p *Peer) Datagrams() Datagrams { return p.tap.datagrams() }

// Sever loses every datagram of the peer's sockets, both ways, until it is called with false: the network is gone and
// nobody is told.
func (p *Peer) Sever(on bool) { p.tap.severed.Store(on) }

// Close ends the connection and waits for everything it started.
func (p *Peer) Close() {
	_ = p.pc.GracefulClose()
	p.reads.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = webrtc.PeerConnectionStateClosed
	p.changed.fire()
}
