package sfu

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/anteroom/anteroom/sfu/transport"
)

// The header extensions that are taken, where offered.
const (
	extMID   = "urn:ietf:params:rtp-hdrext:sdes:mid"         // RFC 9143
	extLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level" // RFC 6464
	extSent  = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
	extTWCC  = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
)

// What is taken of a client's proposal. Towards viewers there are no transport-wide sequence numbers:
// their browsers estimate the bandwidth, and feedback for an estimate here would cost phones' uplinks. Audio is not
// retransmitted: Opus conceals and corrects, and a repeat comes after its 20 ms have been played.
var (
	codecs = map[transport.Kind]string{transport.Audio: "opus", transport.Video: "VP8"}
	inFeed = map[transport.Kind][]string{
		transport.Audio: {"transport-cc"},
		transport.Video: {"transport-cc", "nack", "nack pli", "ccm fir"},
	}
	outFeed = map[transport.Kind][]string{
		transport.Video: {"goog-remb", "nack", "nack pli", "ccm fir"},
	}
	inExtensions  = []string{extMID, extTWCC, extLevel}
	outExtensions = []string{extMID, extLevel, extSent}
)

// negotiate checks the offer's m-lines and sets the peer up for them: a source for each that the client
// sends, slots for those that it receives.
func (p *Peer) negotiate(offer *transport.Offer) (transport.Accepted, error) {
	none := transport.Accepted{}
	sent := 0
	for sent < len(offer.Media) && offer.Media[sent].Receive {
		sent++
	}
	if err := checkLines(offer.Media[:sent], offer.Media[sent:], p.sfu.streams); err != nil {
		return none, err
	}
	p.in.init(p)
	p.out.bySSRC = make(map[uint32]*track)
	answer := transport.Accepted{Handler: handler{p}, StartBitrateKbps: p.sfu.startKbps}
	for i, m := range offer.Media {
		accepted, err := takeCodec(m)
		if err != nil {
			return none, err
		}
		if i < sent {
			p.in.addSource(kinds[i], m, &accepted)
		} else {
			p.out.addTrack(p, m, &accepted)
		}
		answer.Media = append(answer.Media, accepted)
	}
	return answer, nil
}

// kinds of the m-lines that a client sends, in their order.
var kinds = [...]kind{audio, video, content}

// checkLines checks directions, kinds and number of the lines that the client sends and receives.
func checkLines(sent, received []transport.OfferedMedia, most int) error {
	if len(sent) < 2 || len(sent) > len(kinds) {
		return badOffer("first sendonly audio, video and perhaps content video; got %d such lines", len(sent))
	}
	if len(received) > most {
		return badOffer("at most %d lines to receive on; got %d", most, len(received))
	}
	for i, m := range sent {
		want := transport.Video
		if kinds[i] == audio {
			want = transport.Audio
		}
		if m.Kind != want || m.Send {
			return badOffer("line %d sendonly %s", m.Index, want)
		}
	}
	pairs := pairLines(received)
	for i, m := range received {
		want := transport.Video
		if i < pairs && i%2 == 0 {
			want = transport.Audio
		}
		if m.Kind != want || !m.Send || m.Receive {
			return badOffer("line %d recvonly %s", m.Index, want)
		}
	}
	return nil
}

// pairLines returns how many lines at the start alternate between audio and video.
func pairLines(lines []transport.OfferedMedia) int {
	n := 0
	for n+1 < len(lines) && lines[n].Kind == transport.Audio && lines[n+1].Kind == transport.Video {
		n += 2
	}
	return n
}

func badOffer(format string, args ...any) error {
	return fmt.Errorf("%w: expected "+format, append([]any{ErrBadOffer}, args...)...)
}

// takeCodec takes our codec of the line's and what both sides know of feedback and extensions.
func takeCodec(m transport.OfferedMedia) (transport.AcceptedMedia, error) {
	name, feed, uris := codecs[m.Kind], inFeed[m.Kind], inExtensions
	if m.Send {
		feed, uris = outFeed[m.Kind], outExtensions
	}
	i := slices.IndexFunc(m.Codecs, func(c transport.Codec) bool { return strings.EqualFold(c.Name, name) })
	if i < 0 {
		return transport.AcceptedMedia{}, badOffer("line %d with codec %s", m.Index, name)
	}
	c := m.Codecs[i]
	c.Feedback = slices.DeleteFunc(slices.Clone(c.Feedback), func(f string) bool { return !slices.Contains(feed, f) })
	taken := transport.AcceptedMedia{Codecs: append([]transport.Codec{c}, takeFlushCodec(m)...), Extensions: make(map[string]uint8)}
	for _, uri := range uris {
		if id := m.Extensions[uri]; id > 0 && id < 15 { // what one-byte headers can carry (RFC 8285 section 4.2)
			taken.Extensions[uri] = id
		}
	}
	return taken, nil
}

func (in *inbound) init(p *Peer) {
	in.peer = p
	in.ssrc, in.cname = randomSSRC(), rand.Text()
}

// addSource makes the source of a line that the client sends.
func (in *inbound) addSource(k kind, m transport.OfferedMedia, a *transport.AcceptedMedia) {
	c := a.Codecs[0]
	s := &source{peer: in.peer, kind: k, mid: m.MID, pt: c.PT, rtxPT: c.RTXPT, ssrc: m.SSRC}
	if m.SSRC != 0 {
		in.streams = append(in.streams, stream{ssrc: m.SSRC, src: s})
	}
	if m.RTXSSRC != 0 && c.RTXPT != 0 {
		in.streams = append(in.streams, stream{ssrc: m.RTXSSRC, src: s, rtx: true})
	}
	in.midID = max(in.midID, a.Extensions[extMID])
	in.twccID = max(in.twccID, a.Extensions[extTWCC])
	in.levelID = max(in.levelID, a.Extensions[extLevel])
	in.sources = append(in.sources, s)
}

// addTrack makes the track of a line that the client receives. An audio line begins a pair; a video
// line ends one or is a content slot.
func (o *outbound) addTrack(p *Peer, m transport.OfferedMedia, a *transport.AcceptedMedia) {
	c := a.Codecs[0]
	t := newTrack(track{
		owner: p, kind: audio, ssrc: o.newSSRC(), pt: c.PT, rtxPT: c.RTXPT, flushPT: noFlush, cname: rand.Text(),
		mid: []byte(m.MID), midID: a.Extensions[extMID], levelID: a.Extensions[extLevel], sentID: a.Extensions[extSent],
	})
	if len(a.Codecs) > 1 {
		t.flushPT = int(a.Codecs[1].PT)
	}
	if len(m.MID) > 16 { // what a one-byte header element can carry
		t.midID = 0
	}
	last := len(o.slots) - 1
	switch {
	case m.Kind == transport.Audio:
		o.slots = append(o.slots, &slot{tracks: []*track{t}})
		o.pairs++
	case last >= 0 && last < o.pairs && len(o.slots[last].tracks) == 1:
		t.kind, t.cname = video, o.slots[last].tracks[0].cname
		o.slots[last].tracks = append(o.slots[last].tracks, t)
	default:
		t.kind = content
		o.slots = append(o.slots, &slot{tracks: []*track{t}})
	}
	o.bySSRC[t.ssrc] = t
	if t.rtxPT != 0 {
		t.rtxSSRC = o.newSSRC()
		o.bySSRC[t.rtxSSRC] = nil
	}
	a.SSRC, a.RTXSSRC, a.CNAME = t.ssrc, t.rtxSSRC, t.cname
	a.StreamID = "slot" + strconv.Itoa(len(o.slots)-1)
	a.TrackID = a.StreamID + t.kind.String()
}

// newSSRC returns an SSRC that no track of this peer has.
func (o *outbound) newSSRC() uint32 {
	for {
		ssrc := randomSSRC()
		if _, taken := o.bySSRC[ssrc]; !taken {
			return ssrc
		}
	}
}
