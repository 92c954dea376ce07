package signaling

import (
	"encoding/json"
	"testing"

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
	if got, want := string(pongText(7, 1234)), string(encode(wire.Reply{Re: 7, D: wire.Pong{Now: 1234}})); got != want {
		t.Errorf("%s, not %s", got, want)
	}
}
