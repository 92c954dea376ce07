package transport

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

const (
	// maxOffer bounds an offer in bytes: thirty m-lines of a browser that offers all it has.
	maxOffer = 256 << 10
	// maxMedia bounds an offer's m-lines.
	maxMedia = 64
)

// offer is a parsed offer: what choose sees, and what the answer and the connection need.
type offer struct {
	media       []OfferedMedia
	lines       []offeredLine // one for each of media
	mixed       bool          // extmap-allow-mixed (RFC 8285 section 6)
	ufrag       string
	fingerprint fingerprint
}

// offeredLine is what the answer repeats of an m-line.
type offeredLine struct {
	kind, proto string
	formats     []string
	usable      bool // audio or video, and not disabled by port 0
}

func badOffer(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBadOffer, fmt.Sprintf(format, args...))
}

// parseOffer reads what JSEP (RFC 9429) browsers offer. Everything must be in one BUNDLE group over
// DTLS-SRTP with rtcp-mux. No error repeats text of the offer, which may hold addresses.
func parseOffer(text string) (*offer, error) {
	if len(text) > maxOffer {
		return nil, badOffer("longer than %d bytes", maxOffer)
	}
	var s sdp.SessionDescription
	if err := s.UnmarshalString(text); err != nil {
		return nil, badOffer("not a session description")
	}
	if n := len(s.MediaDescriptions); n == 0 || n > maxMedia {
		return nil, badOffer("%d m-lines, not 1 to %d", n, maxMedia)
	}
	bundle := bundleGroup(&s)
	_, mixed := s.Attribute("extmap-allow-mixed")
	o := &offer{mixed: mixed}
	for i, md := range s.MediaDescriptions {
		m, line, err := parseMedia(i, md, bundle)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(o.media, func(other OfferedMedia) bool { return other.MID == m.MID }) {
			return nil, badOffer("m-line %d repeats a mid", i)
		}
		o.media, o.lines = append(o.media, m), append(o.lines, line)
		_, mixed := md.Attribute("extmap-allow-mixed")
		o.mixed = o.mixed || mixed
		if o.ufrag == "" && line.usable {
			if err := o.parseTransport(&s, md); err != nil {
				return nil, err
			}
		}
	}
	if o.ufrag == "" {
		return nil, badOffer("no usable audio or video")
	}
	return o, nil
}

func bundleGroup(s *sdp.SessionDescription) []string {
	for _, a := range s.Attributes {
		if mids, ok := strings.CutPrefix(a.Value, "BUNDLE "); ok && a.Key == "group" {
			return strings.Fields(mids)
		}
	}
	return nil
}

// parseTransport reads the credentials of the first usable m-line, which BUNDLE makes everyone's.
func (o *offer) parseTransport(s *sdp.SessionDescription, md *sdp.MediaDescription) error {
	attribute := func(key string) string {
		if v, ok := md.Attribute(key); ok {
			return v
		}
		v, _ := s.Attribute(key)
		return v
	}
	o.ufrag = attribute("ice-ufrag")
	if len(o.ufrag) < 4 || len(o.ufrag) > 256 {
		return badOffer("no ice-ufrag of 4 to 256 characters")
	}
	if setup := attribute("setup"); setup != "actpass" && setup != "active" {
		return badOffer("a=setup must be actpass or active")
	}
	f, ok := parseFingerprint(attribute("fingerprint"))
	if !ok {
		return badOffer("no fingerprint by sha-256, sha-384 or sha-512")
	}
	o.fingerprint = f
	return nil
}

// parseFingerprint returns what a peer keeps for long, so that it is no part of the offer's text, which would stay with it.
func parseFingerprint(value string) (fingerprint, bool) {
	sizes := map[string]int{"sha-256": 32, "sha-384": 48, "sha-512": 64}
	hash, digits, _ := strings.Cut(value, " ")
	hash = strings.ToLower(hash)
	sum, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(digits), ":", ""))
	return fingerprint{hash: strings.Clone(hash), sum: sum}, err == nil && len(sum) > 0 && len(sum) == sizes[hash]
}

func parseMedia(i int, md *sdp.MediaDescription, bundle []string) (OfferedMedia, offeredLine, error) {
	name := md.MediaName
	m := OfferedMedia{Index: i, Kind: Kind(name.Media)}
	mid, _ := md.Attribute("mid")
	m.MID = strings.Clone(mid)
	line := offeredLine{kind: name.Media, proto: strings.Join(name.Protos, "/"), formats: name.Formats}
	_, bundleOnly := md.Attribute("bundle-only")
	disabled := name.Port.Value == 0 && !bundleOnly // RFC 8843 section 6
	if m.MID == "" {
		return m, line, badOffer("m-line %d has no mid", i)
	}
	if disabled || m.Kind != Audio && m.Kind != Video {
		return m, line, nil
	}
	line.usable = true
	_, mux := md.Attribute("rtcp-mux")
	switch {
	case !slices.Contains(bundle, m.MID):
		return m, line, badOffer("m-line %d is not in the BUNDLE group", i)
	case line.proto != "UDP/TLS/RTP/SAVPF":
		return m, line, badOffer("m-line %d is not UDP/TLS/RTP/SAVPF", i)
	case !mux:
		return m, line, badOffer("m-line %d has no rtcp-mux", i)
	}
	m.Receive, m.Send = directions(md)
	m.Extensions = map[string]uint8{}
	c := codecTable{}
	for _, a := range md.Attributes {
		c.attribute(a)
		m.attribute(a)
	}
	m.Codecs = c.list(name.Formats)
	return m, line, nil
}

// directions returns which way media flows, seen from here; RFC 8866 section 6.7: both by default.
func directions(md *sdp.MediaDescription) (receive, send bool) {
	for _, a := range md.Attributes {
		switch a.Key {
		case "sendrecv":
			return true, true
		case "sendonly":
			return true, false
		case "recvonly":
			return false, true
		case "inactive":
			return false, false
		}
	}
	return true, true
}

// attribute notes what belongs to the m-line as a whole.
func (m *OfferedMedia) attribute(a sdp.Attribute) {
	fields := strings.Fields(a.Value)
	if len(fields) == 0 {
		return
	}
	switch a.Key {
	case "extmap": // 3/sendonly urn:... (RFC 8285 section 5)
		number, _, _ := strings.Cut(fields[0], "/")
		id, err := strconv.ParseUint(number, 10, 8)
		if err == nil && id > 0 && len(fields) > 1 {
			m.Extensions[fields[1]] = uint8(id)
		}
	case "rid":
		if len(fields) > 1 && fields[1] == "send" {
			m.RIDs = append(m.RIDs, fields[0])
		}
	case "ssrc":
		if ssrc, ok := parseSSRC(fields[0]); ok && m.SSRC == 0 {
			m.SSRC = ssrc
		}
	case "ssrc-group":
		if len(fields) != 3 || fields[0] != "FID" || m.RTXSSRC != 0 {
			return
		}
		media, ok1 := parseSSRC(fields[1])
		rtx, ok2 := parseSSRC(fields[2])
		if ok1 && ok2 {
			m.SSRC, m.RTXSSRC = media, rtx
		}
	}
}

func parseSSRC(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil && n != 0
}

// codecTable gathers the attributes of an m-line's payload types, which come in any order.
type codecTable struct {
	codecs map[string]*Codec // by payload type as written
	all    []string          // feedback for all of them
}

func (t *codecTable) codec(pt string) *Codec {
	if t.codecs == nil {
		t.codecs = map[string]*Codec{}
	}
	if t.codecs[pt] == nil {
		t.codecs[pt] = &Codec{}
	}
	return t.codecs[pt]
}

func (t *codecTable) attribute(a sdp.Attribute) {
	pt, value, ok := strings.Cut(a.Value, " ")
	value = strings.TrimSpace(value)
	if !ok || value == "" {
		return
	}
	switch a.Key {
	case "rtpmap": // opus/48000/2
		parts := strings.Split(value, "/")
		c := t.codec(pt)
		c.Name = parts[0]
		if len(parts) > 1 {
			rate, _ := strconv.ParseUint(parts[1], 10, 32)
			c.ClockRate = uint32(rate)
		}
		if len(parts) > 2 {
			channels, _ := strconv.ParseUint(parts[2], 10, 16)
			c.Channels = uint16(channels)
		}
	case "fmtp":
		t.codec(pt).Fmtp = value
	case "rtcp-fb":
		if pt == "*" {
			t.all = append(t.all, value)
			return
		}
		c := t.codec(pt)
		c.Feedback = append(c.Feedback, value)
	}
}

// list returns the codecs in the order of the m-line's formats. Retransmission (RFC 4588) is not a
// codec of its own but a property of the one it repeats.
func (t *codecTable) list(formats []string) []Codec {
	var out []Codec
	rtx := map[uint8]uint8{}
	for _, pt := range formats {
		number, err := strconv.ParseUint(pt, 10, 7)
		c := t.codecs[pt]
		if err != nil || c == nil || c.Name == "" || c.ClockRate == 0 {
			continue
		}
		if strings.EqualFold(c.Name, "rtx") {
			if apt, err := strconv.ParseUint(fmtpValue(c.Fmtp, "apt"), 10, 7); err == nil {
				rtx[uint8(apt)] = uint8(number)
			}
			continue
		}
		c.PT = uint8(number)
		c.Feedback = append(c.Feedback, t.all...)
		out = append(out, *c)
	}
	for i := range out {
		out[i].RTXPT = rtx[out[i].PT]
	}
	return out
}

// fmtpValue returns the value of one parameter.
func fmtpValue(fmtp, key string) string {
	for parameter := range strings.SplitSeq(fmtp, ";") {
		if name, value, ok := strings.Cut(strings.TrimSpace(parameter), "="); ok && name == key {
			return value
		}
	}
	return ""
}
