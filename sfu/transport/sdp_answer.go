package transport

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

var errAccepted = errors.New("transport: the choice does not fit the offer")

// ourEnd is what an answer says of this end.
type ourEnd struct {
	ufrag, pwd  string
	fingerprint string
	candidates  []netip.AddrPort
}

// writeAnswer answers o with what a takes of it.
func writeAnswer(o *offer, a Accepted, l ourEnd) (string, error) {
	if a.Handler == nil || len(a.Media) != len(o.media) {
		return "", fmt.Errorf("%w: no handler, or %d m-lines for %d", errAccepted, len(a.Media), len(o.media))
	}
	s := &sdp.SessionDescription{
		Origin: sdp.Origin{
			Username: "-", SessionID: randomSessionID(), SessionVersion: 1,
			NetworkType: "IN", AddressType: "IP4", UnicastAddress: "127.0.0.1",
		},
		SessionName:      "-",
		TimeDescriptions: []sdp.TimeDescription{{}},
	}
	s.WithPropertyAttribute("ice-lite")
	if o.mixed {
		s.WithPropertyAttribute("extmap-allow-mixed")
	}
	bundle := []string{"BUNDLE"}
	for i, m := range a.Media {
		if m.Reject || !o.lines[i].usable {
			s.WithMedia(rejected(o, i))
			continue
		}
		if len(m.Codecs) == 0 {
			return "", fmt.Errorf("%w: m-line %d without a codec", errAccepted, i)
		}
		md := taken(o.media[i], m, a.StartBitrateKbps)
		l.describe(md, len(bundle) == 1)
		bundle = append(bundle, o.media[i].MID)
		s.WithMedia(md)
	}
	s.WithValueAttribute("group", strings.Join(bundle, " "))
	b, err := s.Marshal()
	if err != nil {
		return "", fmt.Errorf("transport: writing the answer: %w", err)
	}
	return string(b), nil
}

// rejected repeats an m-line with port 0 (RFC 3264 section 6).
func rejected(o *offer, i int) *sdp.MediaDescription {
	md := &sdp.MediaDescription{
		MediaName: sdp.MediaName{
			Media: o.lines[i].kind, Protos: strings.Split(o.lines[i].proto, "/"), Formats: o.lines[i].formats,
		},
		ConnectionInformation: &sdp.ConnectionInformation{
			NetworkType: "IN", AddressType: "IP4", Address: &sdp.Address{Address: "0.0.0.0"},
		},
	}
	return md.WithValueAttribute("mid", o.media[i].MID).WithPropertyAttribute("inactive")
}

// describe adds this end's transport. The candidates go into the first m-line, which BUNDLE makes
// everyone's.
func (l ourEnd) describe(md *sdp.MediaDescription, first bool) {
	at := l.candidates[0]
	family := "IP4"
	if at.Addr().Is6() {
		family = "IP6"
	}
	md.MediaName.Port.Value = int(at.Port())
	md.ConnectionInformation = &sdp.ConnectionInformation{
		NetworkType: "IN", AddressType: family, Address: &sdp.Address{Address: at.Addr().String()},
	}
	md.WithICECredentials(l.ufrag, l.pwd).
		WithValueAttribute("fingerprint", l.fingerprint).
		WithValueAttribute("setup", "passive").
		WithPropertyAttribute("rtcp-mux").
		WithPropertyAttribute("rtcp-rsize")
	if !first {
		return
	}
	for i, c := range l.candidates {
		md.WithValueAttribute("candidate", candidateLine(i, c))
	}
	md.WithPropertyAttribute("end-of-candidates")
}

// taken describes the media of an accepted m-line.
func taken(o OfferedMedia, m AcceptedMedia, startKbps int) *sdp.MediaDescription {
	md := &sdp.MediaDescription{
		MediaName: sdp.MediaName{Media: string(o.Kind), Protos: []string{"UDP", "TLS", "RTP", "SAVPF"}},
	}
	sends := o.Send && m.SSRC != 0
	md.WithValueAttribute("mid", o.MID).WithPropertyAttribute(direction(o.Receive, sends))
	for _, uri := range sortedByID(m.Extensions) {
		md.WithValueAttribute("extmap", fmt.Sprintf("%d %s", m.Extensions[uri], uri))
	}
	for _, c := range m.Codecs {
		describeCodec(md, c, o.Receive, startKbps)
	}
	if sends {
		describeSource(md, m)
	}
	return md
}

func direction(receives, sends bool) string {
	switch {
	case receives && sends:
		return "sendrecv"
	case receives:
		return "recvonly"
	case sends:
		return "sendonly"
	}
	return "inactive"
}

func sortedByID(extensions map[string]uint8) []string {
	uris := make([]string, 0, len(extensions))
	for uri := range extensions {
		uris = append(uris, uri)
	}
	slices.SortFunc(uris, func(a, b string) int { return int(extensions[a]) - int(extensions[b]) })
	return uris
}

func describeCodec(md *sdp.MediaDescription, c Codec, receives bool, startKbps int) {
	fmtp := c.Fmtp
	if receives && startKbps > 0 && strings.EqualFold(c.Name, "VP8") {
		hint := "x-google-start-bitrate=" + strconv.Itoa(startKbps)
		fmtp = strings.TrimPrefix(fmtp+";"+hint, ";")
	}
	// WithCodec adds the format, its rtpmap, fmtp and rtcp-fb lines.
	md.WithCodec(c.PT, c.Name, c.ClockRate, c.Channels, fmtp)
	for _, f := range c.Feedback {
		md.WithValueAttribute("rtcp-fb", fmt.Sprintf("%d %s", c.PT, f))
	}
	if c.RTXPT != 0 {
		md.WithCodec(c.RTXPT, "rtx", c.ClockRate, 0, fmt.Sprintf("apt=%d", c.PT))
	}
}

// describeSource announces what we send, so that the browser knows the streams before their first
// packet.
func describeSource(md *sdp.MediaDescription, m AcceptedMedia) {
	stream := m.StreamID
	if stream == "" {
		stream = "-" // RFC 8830 section 2: no stream
	}
	msid := stream + " " + m.TrackID
	md.WithValueAttribute("msid", msid)
	ssrcs := []uint32{m.SSRC}
	if m.RTXSSRC != 0 {
		md.WithValueAttribute("ssrc-group", fmt.Sprintf("FID %d %d", m.SSRC, m.RTXSSRC))
		ssrcs = append(ssrcs, m.RTXSSRC)
	}
	for _, ssrc := range ssrcs {
		md.WithValueAttribute("ssrc", fmt.Sprintf("%d cname:%s", ssrc, m.CNAME))
		md.WithValueAttribute("ssrc", fmt.Sprintf("%d msid:%s", ssrc, msid))
	}
}
