package transport

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
)

func TestOffer_OfChromium_IsUnderstood(t *testing.T) {
	o, err := parseOffer(chromiumOffer(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(o.media) != 8 || o.ufrag != "dYcv" || o.fingerprint.hash != "sha-256" || !o.mixed {
		t.Fatalf("%d lines, ufrag %q, hash %q, mixed %v", len(o.media), o.ufrag, o.fingerprint.hash, o.mixed)
	}
	sound, camera, slot := o.media[0], o.media[1], o.media[4]
	if !sound.Receive || sound.Send || sound.Kind != Audio || sound.MID != "0" {
		t.Errorf("first line %+v", sound)
	}
	if opus := sound.Codecs[0]; opus.Name != "opus" || opus.PT != 111 || opus.ClockRate != 48000 || opus.Channels != 2 {
		t.Errorf("first codec %+v", opus)
	}
	if vp8 := camera.Codecs[0]; vp8.Name != "VP8" || vp8.PT != 96 || vp8.RTXPT != 97 || len(vp8.Feedback) == 0 {
		t.Errorf("camera's first codec %+v", vp8)
	}
	if !slices.Equal(camera.RIDs, []string{"q", "f"}) {
		t.Errorf("camera's layers %v", camera.RIDs)
	}
	if slot.Receive || !slot.Send || slot.Kind != Video {
		t.Errorf("slot %+v", slot)
	}
	if id := camera.Extensions["urn:ietf:params:rtp-hdrext:sdes:mid"]; id != 4 {
		t.Errorf("MID has id %d", id)
	}
}

func TestOffer_Unusable_IsRefusedWithoutRepeatingIt(t *testing.T) {
	whole := chromiumOffer(t)
	for name, bad := range map[string]string{
		"empty":          "",
		"no SDP":         "GET / HTTP/1.1",
		"too long":       whole + strings.Repeat("a=x\r\n", maxOffer/5),
		"no m-line":      whole[:strings.Index(whole, "m=")],
		"too many":       whole + strings.Repeat("m=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:x\r\n", maxMedia),
		"mid twice":      strings.Replace(whole, "a=mid:1\r\n", "a=mid:0\r\n", 1),
		"no mid":         strings.Replace(whole, "a=mid:1\r\n", "", 1),
		"not bundled":    strings.Replace(whole, "BUNDLE 0 1", "BUNDLE 0", 1),
		"no DTLS":        strings.Replace(whole, "UDP/TLS/RTP/SAVPF", "RTP/AVP", 1),
		"no rtcp-mux":    strings.Replace(whole, "a=rtcp-mux\r\n", "", 1),
		"no ufrag":       strings.ReplaceAll(whole, "a=ice-ufrag:dYcv\r\n", ""),
		"passive":        strings.ReplaceAll(whole, "a=setup:actpass", "a=setup:passive"),
		"no fingerprint": strings.ReplaceAll(whole, "a=fingerprint:sha-256", "a=fingerprint:md5"),
		"nothing usable": strings.ReplaceAll(strings.ReplaceAll(whole, "m=audio", "m=text"), "m=video", "m=text"),
	} {
		t.Run(name, func(t *testing.T) {
			if bad == whole {
				t.Fatal("this is the good one")
			}
			_, err := parseOffer(bad)
			if !errors.Is(err, ErrBadOffer) {
				t.Fatalf("error %v", err)
			}
			if strings.Contains(err.Error(), "dYcv") || strings.Contains(err.Error(), "192.0.2") {
				t.Errorf("repeats the offer: %v", err)
			}
		})
	}
}

func TestAnswer_AcceptedAndRejectedLines(t *testing.T) {
	tr := listen(t, Config{})
	h := newRecorder()
	_, answer, err := tr.Accept(chromiumOffer(t), func(o *Offer) (Accepted, error) {
		a, err := takeAll(h)(o)
		a.Media[2] = AcceptedMedia{Reject: true}
		a.Media[7].SSRC = 0 // nothing to send there
		return a, err
	})
	if err != nil {
		t.Fatal(err)
	}
	var s sdp.SessionDescription
	if err := s.UnmarshalString(answer); err != nil {
		t.Fatal(err)
	}
	if bundle, _ := s.Attribute("group"); bundle != "BUNDLE 0 1 3 4 5 6 7" {
		t.Errorf("group %q", bundle)
	}
	if _, lite := s.Attribute("ice-lite"); !lite {
		t.Error("does not say that it is lite")
	}
	want := []string{"recvonly", "recvonly", "inactive", "sendonly", "sendonly", "sendonly", "sendonly", "inactive"}
	for i, md := range s.MediaDescriptions {
		if _, ok := md.Attribute(want[i]); !ok {
			t.Errorf("line %d is not %s", i, want[i])
		}
		if port := md.MediaName.Port.Value; (port == 0) != (i == 2) {
			t.Errorf("line %d has port %d", i, port)
		}
	}
	for _, line := range []string{
		"a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96", "x-google-start-bitrate=600", "a=setup:passive",
		"a=msid:s4 video", "a=ssrc-group:FID 1004 2004", "a=ssrc:1004 cname:c", "a=end-of-candidates",
	} {
		if !strings.Contains(answer, line) {
			t.Errorf("no %q in the answer", line)
		}
	}
}

func TestAnswer_ChoiceThatDoesNotFit_Fails(t *testing.T) {
	tr := listen(t, Config{})
	choiceErr := errors.New("no")
	for name, choose := range map[string]func(*Offer) (Accepted, error){
		"too few lines": func(*Offer) (Accepted, error) { return Accepted{Handler: newRecorder()}, nil },
		"no handler": func(o *Offer) (Accepted, error) {
			return Accepted{Media: make([]AcceptedMedia, len(o.Media))}, nil
		},
		"no codec": func(o *Offer) (Accepted, error) {
			return Accepted{Handler: newRecorder(), Media: make([]AcceptedMedia, len(o.Media))}, nil
		},
		"own error": func(*Offer) (Accepted, error) { return Accepted{}, choiceErr },
	} {
		_, _, err := tr.Accept(chromiumOffer(t), choose)
		if err == nil || (name == "own error") != errors.Is(err, choiceErr) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(tr.snapshot()) != 0 {
		t.Error("a peer was kept")
	}
}

func FuzzOffer(f *testing.F) {
	f.Add(chromiumOffer(f))
	f.Add("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE a\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n" +
		"a=mid:a\r\na=rtcp-mux\r\na=ice-ufrag:abcd\r\na=setup:actpass\r\na=rtpmap:0 opus/48000\r\n" +
		"a=fingerprint:sha-256 " + strings.Repeat("00:", 31) + "00\r\n")
	end := ourEnd{ufrag: "u", pwd: "p", fingerprint: "f", candidates: candidatesOf(f)}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := parseOffer(text)
		if err != nil {
			if !errors.Is(err, ErrBadOffer) {
				t.Fatal(err)
			}
			return
		}
		a, _ := takeAll(newRecorder())(&Offer{Media: o.media})
		answer, err := writeAnswer(o, a, end)
		if err != nil {
			t.Fatal(err)
		}
		var s sdp.SessionDescription
		if err := s.UnmarshalString(answer); err != nil || len(s.MediaDescriptions) != len(o.media) {
			t.Fatalf("%v, %d lines for %d\n%s", err, len(s.MediaDescriptions), len(o.media), answer)
		}
	})
}
