package turn_test

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/anteroom/anteroom/sfu/transport"
	"github.com/anteroom/anteroom/turn"
)

const (
	slotSSRC = 4711
	opus     = 111 // its payload type in Pion's offers
	packets  = 20  // enough each way to see that media flows
)

// heard is a peer's handler that counts what comes.
type heard struct{ rtp, connected atomic.Uint64 }

func (h *heard) RTP(*transport.Packet)         { h.rtp.Add(1) }
func (h *heard) RTCP(*transport.Batch, []byte) {}
func (h *heard) State(s transport.State) {
	if s.Phase == transport.Connected {
		h.connected.Store(1)
	}
}

// tlsDialer makes a client trust the test's certificate.
type tlsDialer struct{ cfg *tls.Config }

func (d tlsDialer) Dial(network, addr string) (net.Conn, error) {
	return tls.Dial(network, addr, d.cfg)
}

func TestMedia_RelayedOnly_FlowsBothWays(t *testing.T) {
	here, there := listen(t), listen(t)
	s := start(t, func(c *turn.Config) {
		c.Peers, c.Pipe = here.Candidates(), func() (turn.Path, error) { return here.Pipe() }
	})
	s.SetOthers(there.Candidates())
	for name, way := range map[string]struct {
		scheme string
		media  *transport.Transport
	}{"tcp": {"turn:", here}, "tls": {"turns:", here}, "to another instance": {"turns:", there}} {
		t.Run(name, func(t *testing.T) {
			var settings webrtc.SettingEngine
			settings.SetRelayAcceptanceMinWait(0)
			if way.scheme == "turns:" {
				settings.SetICEProxyDialer(tlsDialer{s.client})
			}
			client, microphone := newClient(t, settings, s, way.scheme)
			received := make(chan uint32, packets)
			client.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
				for {
					p, _, err := track.ReadRTP()
					if err != nil {
						return
					}
					select {
					case received <- p.SSRC:
					default:
					}
				}
			})
			var h heard
			peer := answer(t, way.media, client, &h)
			defer peer.Close()

			await(t, func() bool { return h.connected.Load() == 1 })
			var sent uint16
			await(t, func() bool {
				sent++
				p := rtp.Packet{Header: rtp.Header{
					Version: 2, PayloadType: opus, SSRC: slotSSRC, SequenceNumber: sent, Timestamp: uint32(sent) * 960,
				}, Payload: []byte("a frame of sound")}
				_ = microphone.WriteRTP(&p)
				_ = peer.WriteRTP(nil, &p.Header, p.Payload)
				return h.rtp.Load() >= packets && len(received) >= packets
			})
			if got := <-received; got != slotSSRC {
				t.Errorf("received SSRC %d, want %d", got, slotSSRC)
			}
			if got := peer.Stats(); got.Relayed != (way.media == here) {
				t.Errorf("the selected path: %+v", got)
			}
		})
	}
	if got := s.Stats(); got.Allocated != 3 || got.Forbidden != 0 || got.Dropped != 0 || got.Denied != 0 {
		t.Errorf("Stats: %+v", got)
	}
}

func listen(t *testing.T) *transport.Transport {
	t.Helper()
	media, err := transport.Listen(transport.Config{Listen: netip.MustParseAddrPort("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = media.Close() })
	return media
}

// newClient is a PeerConnection with a microphone and a slot for sound that may use nothing but the relay.
func newClient(t *testing.T, settings webrtc.SettingEngine, s *setup, scheme string) (
	*webrtc.PeerConnection, *webrtc.TrackLocalStaticRTP,
) {
	t.Helper()
	var codecs webrtc.MediaEngine
	if err := codecs.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	user, password := s.Credentials(seat, time.Hour, time.Now())
	client, err := webrtc.NewAPI(
		webrtc.WithMediaEngine(&codecs), webrtc.WithSettingEngine(settings),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{}),
	).NewPeerConnection(webrtc.Configuration{
		ICEServers: []webrtc.ICEServer{{
			URLs: []string{scheme + s.port.Addr().String() + "?transport=tcp"}, Username: user, Credential: password,
		}},
		ICETransportPolicy: webrtc.ICETransportPolicyRelay,
		BundlePolicy:       webrtc.BundlePolicyMaxBundle,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.GracefulClose() })
	microphone, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "a", "s")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.AddTransceiverFromTrack(microphone,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		t.Fatal(err)
	}
	return client, microphone
}

// answer makes the client's peer.
func answer(t *testing.T, media *transport.Transport, client *webrtc.PeerConnection, h transport.Handler) *transport.Peer {
	t.Helper()
	gathered := webrtc.GatheringCompletePromise(client)
	offer, err := client.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	peer, sdp, err := media.Accept(client.LocalDescription().SDP, func(o *transport.Offer) (transport.Accepted, error) {
		a := transport.Accepted{Handler: h}
		for _, m := range o.Media {
			taken := transport.AcceptedMedia{Codecs: m.Codecs[:1]}
			if m.Send {
				taken.SSRC, taken.StreamID, taken.TrackID, taken.CNAME = slotSSRC, "s", "a", "c"
			}
			a.Media = append(a.Media, taken)
		}
		return a, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}); err != nil {
		t.Fatal(err)
	}
	return peer
}
