package signaling

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/anteroom/anteroom/signaling/wire"
)

func TestPing_IsReadAsPackageJSONReadsIt(t *testing.T) {
	for _, text := range []string{
		`{"t":"ping","id":1}`, `{"t":"ping","id":18446744073709551615,"d":{}}`, `{"t":"ping","id":18446744073709551616}`,
		`{"t":"ping","id":0}`, `{"t":"ping","id":01}`, `{"t":"ping","id":+1}`, `{"t":"ping","id":1_0}`, `{"t":"ping","id":}`,
		`{"t":"ping","id":1,"d":{}},"d":{}}`, `{"t":"ping","id":1,"d":{"x":1}}`, `{"t":"pings","id":1}`, `{"t":"ping","id":1e2}`, ``,
	} {
		checkPing(t, []byte(text))
	}
	rapid.Check(t, func(t *rapid.T) {
		middle := rapid.StringMatching(`[0-9,:{}"dx+ -]{0,24}`).Draw(t, "middle")
		checkPing(t, []byte(`{"t":"ping","id":`+middle+`}`))
	})
}

// checkPing holds that what is taken for a ping is one, with that id.
func checkPing(t interface{ Errorf(string, ...any) }, data []byte) {
	id, ok := pingID(data)
	var r wire.Request
	err := decodeStrict(data, &r)
	if ok && (err != nil || r.T != wire.TypePing || r.ID != id || id == 0) {
		t.Errorf("%s is taken for ping %d, and is %+v, %v", data, id, r, err)
	}
}

func TestPing_WhatClientsSendIsRecognised(t *testing.T) {
	for _, d := range []json.RawMessage{nil, json.RawMessage(`{}`)} {
		data := encode(wire.Request{T: wire.TypePing, ID: 42, D: d})
		if id, ok := pingID(data); !ok || id != 42 {
			t.Errorf("%s: %d, %t", data, id, ok)
		}
	}
}

func TestPong_IsAReply(t *testing.T) {
	for _, pong := range []wire.Pong{{Now: 1234}, {Now: 1234, NextMS: 56}} {
		if got, want := string(pongText(7, pong.Now, pong.NextMS)), string(encode(wire.Reply{Re: 7, D: pong})); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}

// Pages that come at any time, over links that take some time, ping on their beat from the third ping on, and are told nothing more.
func TestRhythm_PingsComeToTheirBeatAndStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sockets := rapid.IntRange(1, 100_000).Draw(t, "sockets")
		beat := beatOf(rapid.Uint64().Draw(t, "number"), sockets)
		arrives := time.UnixMilli(rapid.Int64Range(1_700_000_000_000, 1_800_000_000_000).Draw(t, "first"))
		link := rapid.Int64Range(0, beatFarMS).Draw(t, "ms there and back")
		var r rhythm
		for ping := range 6 {
			next := r.next(arrives, beat)
			if next < 0 || next > wire.PingEveryMS {
				t.Fatalf("next ping in %d ms", next)
			}
			after := (arrives.UnixMilli() - beat + beatNearMS) % wire.PingEveryMS
			if ping > 1 && (next != 0 || after > 2*beatNearMS) {
				t.Fatalf("ping %d is %d ms from its beat, and the next is wanted in %d ms", ping, after-beatNearMS, next)
			}
			late := int64(wire.PingEveryMS)
			if next != 0 {
				late = int64(next) + link
			}
			arrives = arrives.Add(time.Duration(late) * time.Millisecond)
		}
	})
}

// A link that varies, or a clock that runs a little faster, is no reason to speak of it; one that is set is.
func TestRhythm_IsFoundAgain(t *testing.T) {
	for _, c := range []struct {
		after int64
		want  int
	}{{beatFarMS, 0}, {-beatFarMS, 0}, {beatFarMS + 1, wire.PingEveryMS - beatFarMS - 1}, {-beatFarMS - 1, beatFarMS + 1}, {wire.PingEveryMS / 2, wire.PingEveryMS / 2}} {
		r := onBeat
		if got := r.next(time.UnixMilli(700_000_000*wire.PingEveryMS+c.after), 0); got != c.want {
			t.Errorf("%d ms after its beat, the next ping is wanted in %d ms, not %d", c.after, got, c.want)
		}
	}
}

func TestBeatOf_ManySocketsHaveSeveral(t *testing.T) {
	for sockets, want := range map[int]int{0: 1, beatSockets: 1, beatSockets + 1: 2, 10 * beatSockets: 10, 100 * beatSockets: mostBeats} {
		beats := map[int64]bool{}
		for number := range uint64(100) {
			beats[beatOf(number, sockets)] = true
		}
		if len(beats) != want {
			t.Errorf("%d sockets ping at %d times, not %d", sockets, len(beats), want)
		}
	}
}
