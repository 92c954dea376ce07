package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/anteroom/anteroom/signaling/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a server whose every connection is played by hand: a test takes it from conns.
type script struct {
	server *httptest.Server
	conns  chan *websocket.Conn
}

func newScript(t *testing.T) *script {
	t.Helper()
	s := &script{conns: make(chan *websocket.Conn, 4)}
	upgrader := websocket.Upgrader{Subprotocols: []string{wire.Subprotocol}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/join", func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Token string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Token != "TOKEN" {
			w.WriteHeader(http.StatusUnauthorized)
			_ = json.NewEncoder(w).Encode(map[string]string{"code": "link_unknown"})
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "anteroom-h", Value: "secret", Path: "/"})
		_ = json.NewEncoder(w).Encode(wire.Joined{Handle: "h", Kind: wire.JoinedSeat})
	})
	mux.HandleFunc("/v1/signal", func(w http.ResponseWriter, r *http.Request) {
		if cookie, err := r.Cookie("anteroom-h"); err != nil || cookie.Value != "secret" || r.Header.Get("Origin") != s.server.URL {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if ws, err := upgrader.Upgrade(w, r, nil); err == nil {
			s.conns <- ws
		}
	})
	s.server = httptest.NewServer(mux)
	t.Cleanup(s.server.Close)
	return s
}

func (s *script) join(t *testing.T) *Client {
	t.Helper()
	c, err := Join(t.Context(), s.server.URL+"/join#TOKEN", Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// welcome takes the next connection, answers its hello and returns both.
func (s *script) welcome(t *testing.T, welcome wire.Welcome) (*websocket.Conn, wire.Hello) {
	t.Helper()
	var ws *websocket.Conn
	select {
	case ws = <-s.conns:
	case <-t.Context().Done():
		t.Fatal("nobody connected")
	}
	t.Cleanup(func() { _ = ws.Close() })
	request := read(t, ws)
	if request.T != wire.TypeHello {
		t.Fatalf("first message is %q", request.T)
	}
	var hello wire.Hello
	if err := json.Unmarshal(request.D, &hello); err != nil {
		t.Fatal(err)
	}
	write(t, ws, wire.Reply{Re: request.ID, D: welcome})
	return ws, hello
}

func read(t *testing.T, ws *websocket.Conn) (request wire.Request) {
	t.Helper()
	_ = ws.SetReadDeadline(time.Now().Add(5 * time.Second))
	if err := ws.ReadJSON(&request); err != nil {
		t.Fatal(err)
	}
	return request
}

func write(t *testing.T, ws *websocket.Conn, v any) {
	t.Helper()
	if err := ws.WriteJSON(v); err != nil {
		t.Fatal(err)
	}
}

// connect runs Connect beside the script that answers it.
func connect(t *testing.T, c *Client) <-chan error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- c.Connect(t.Context()) }()
	return done
}

func TestJoin_RefusedLink_CarriesTheCode(t *testing.T) {
	s := newScript(t)
	if _, err := Join(t.Context(), s.server.URL+"/join#OTHER", Options{}); Code(err) != "link_unknown" {
		t.Errorf("Join with a wrong token: %v", err)
	}
	if _, err := Join(t.Context(), s.server.URL+"/join", Options{}); !errors.Is(err, ErrBadLink) {
		t.Errorf("Join without a token: %v", err)
	}
}

func TestReconnect_UnansweredCommands_AreRepeatedInOrderWithTheirIDs(t *testing.T) {
	s := newScript(t)
	c := s.join(t)
	connected := connect(t, c)
	ws, first := s.welcome(t, wire.Welcome{PingMS: wire.PingEveryMS, View: wire.View{Version: 7}})
	if err := <-connected; err != nil {
		t.Fatal(err)
	}

	checkIn, chat, media := make(chan error, 1), make(chan error, 1), make(chan error, 1)
	go func() { checkIn <- c.CheckIn(t.Context()) }()
	sent := []wire.Request{read(t, ws)}
	go func() {
		_, err := c.Chat(t.Context(), wire.Chat{Text: "here"})
		chat <- err
	}()
	sent = append(sent, read(t, ws))
	go func() { media <- c.Devices(t.Context(), wire.Media{Audio: wire.MediaOn, Video: wire.MediaOn}) }()
	if lost := read(t, ws); lost.T != wire.TypeMedia {
		t.Fatalf("sent %q", lost.T)
	}
	_ = ws.NetConn().Close()
	if err := <-media; !errors.Is(err, ErrDisconnected) {
		t.Errorf("a request that is no command, cut: %v", err)
	}

	connected = connect(t, c)
	ws, second := s.welcome(t, wire.Welcome{PingMS: wire.PingEveryMS, View: wire.View{Version: 8}})
	if err := <-connected; err != nil {
		t.Fatal(err)
	}
	if second.Client != first.Client || second.Tab != first.Tab {
		t.Error("a reconnect changed the page's ids")
	}
	for _, want := range sent {
		got := read(t, ws)
		if got.ID != want.ID || got.T != want.T || string(got.D) != string(want.D) {
			t.Errorf("repeated %+v, was %+v", got, want)
		}
		write(t, ws, wire.Reply{Re: got.ID, D: wire.Said{N: 1}})
	}
	for name, answer := range map[string]chan error{"check_in": checkIn, "chat": chat} {
		if err := <-answer; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRetry_SameRequestSameID_UntilDone(t *testing.T) {
	s := newScript(t)
	c := s.join(t)
	connected := connect(t, c)
	ws, _ := s.welcome(t, wire.Welcome{PingMS: wire.PingEveryMS})
	if err := <-connected; err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Admit(t.Context(), "v", "s") }()
	first := read(t, ws)
	write(t, ws, wire.Reply{Re: first.ID, Err: &wire.Error{Code: wire.CodeRetry, Retry: true}})
	again := read(t, ws)
	if again.ID != first.ID || again.T != first.T || string(again.D) != string(first.D) {
		t.Errorf("repeated %+v, was %+v", again, first)
	}
	write(t, ws, wire.Reply{Re: again.ID, Err: &wire.Error{Code: wire.CodeNotWaiting}})
	if err := <-done; Code(err) != wire.CodeNotWaiting {
		t.Errorf("admit: %v", err)
	}
}

func TestEvents_NewestStateAndEveryMessageOnce(t *testing.T) {
	s := newScript(t)
	c := s.join(t)
	connected := connect(t, c)
	ws, _ := s.welcome(t, wire.Welcome{
		PingMS:   wire.PingEveryMS,
		View:     wire.View{Version: 1},
		List:     &wire.List{Version: 1, Whole: true, Rows: []wire.Row{{Seat: "b", Rank: 2}, {Seat: "a", Rank: 3}}},
		Messages: []wire.Message{{Visit: "v", N: 1, Text: "one"}},
	})
	if err := <-connected; err != nil {
		t.Fatal(err)
	}
	write(t, ws, wire.Event{T: wire.EventList, Seq: 1, D: wire.List{
		Version: 4, Rows: []wire.Row{{Seat: "c", Rank: 1}}, Removed: []string{"b"},
	}})
	write(t, ws, wire.Event{T: "of a newer server", Seq: 2, D: 3})
	write(t, ws, wire.Event{T: wire.EventMessages, Seq: 3, D: wire.Messages{
		Messages: []wire.Message{{Visit: "v", N: 1, Text: "one"}, {Visit: "v", N: 2, Text: "two"}},
	}})
	write(t, ws, wire.Event{T: wire.EventView, Seq: 4, D: wire.View{Version: 5}})
	if _, err := c.WaitView(t.Context(), func(v wire.View) bool { return v.Version == 5 }); err != nil {
		t.Fatal(err)
	}
	rows, messages := c.List(), c.Messages()
	if len(rows) != 2 || rows[0].Seat != "c" || rows[1].Seat != "a" {
		t.Errorf("list %+v", rows)
	}
	if len(messages) != 2 || messages[1].Text != "two" {
		t.Errorf("messages %+v", messages)
	}
	_ = ws.Close()
	if code, err := c.WaitClosed(t.Context()); code != websocket.CloseAbnormalClosure || err != nil {
		t.Errorf("closed with %d, %v", code, err)
	}

	connect(t, c)
	_, hello := s.welcome(t, wire.Welcome{PingMS: wire.PingEveryMS})
	if hello.List != 4 || hello.Messages["v"] != 2 {
		t.Errorf("hello cites list %d, messages %v", hello.List, hello.Messages)
	}
}

func TestEvents_GapInSeq_EndsTheConnection(t *testing.T) {
	s := newScript(t)
	c := s.join(t)
	connected := connect(t, c)
	ws, _ := s.welcome(t, wire.Welcome{PingMS: wire.PingEveryMS})
	if err := <-connected; err != nil {
		t.Fatal(err)
	}
	write(t, ws, wire.Event{T: wire.EventView, Seq: 1, D: wire.View{Version: 1}})
	write(t, ws, wire.Event{T: wire.EventView, Seq: 3, D: wire.View{Version: 2}})
	if code, err := c.WaitClosed(t.Context()); code != websocket.CloseProtocolError || err != nil {
		t.Errorf("closed with %d, %v", code, err)
	}
}

func TestConnect_ContextEnds_GivesUp(t *testing.T) {
	s := newScript(t)
	c := s.join(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Connect(ctx) }()
	ws := <-s.conns
	defer ws.Close()
	cancel()
	if err := <-done; err == nil {
		t.Error("Connect without a welcome succeeded")
	}
}

func TestPayload_MarkAndNumber_ComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mark := Mark(rapid.StringN(0, 8, 32).Draw(t, "mark"))
		n := rapid.Uint64().Draw(t, "n")
		kind := rapid.SampledFrom([]Kind{Audio, Video}).Draw(t, "kind")
		gotMark, gotN, ok := readMark(payload(kind, mark, n))
		if !ok || gotMark != mark || gotN != n {
			t.Fatalf("read %q %d %v", gotMark, gotN, ok)
		}
	})
}

func FuzzReadMark(f *testing.F) {
	f.Add(payload(Video, "patient", 7))
	f.Add([]byte(magic + "\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if mark, _, ok := readMark(b); ok && len(mark) > len(b) {
			t.Errorf("a mark of %d bytes in %d", len(mark), len(b))
		}
	})
}
