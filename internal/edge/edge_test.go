package edge

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOnePort_HTTPWebSocketAndTURN_ClearAndTLS(t *testing.T) {
	serverTLS, clientTLS := testTLS(t)
	l := listen(t, Config{TLS: serverTLS})
	serveHTTP(t, l)
	for _, c := range []struct {
		name, http, ws, want string
		tls                  *tls.Config
	}{
		{name: "clear", http: "http://", ws: "ws://", want: "clear"},
		{name: "tls", http: "https://", ws: "wss://", want: "tls", tls: clientTLS},
	} {
		t.Run(c.name, func(t *testing.T) {
			transport := &http.Transport{TLSClientConfig: c.tls.Clone(), ForceAttemptHTTP2: true}
			defer transport.CloseIdleConnections()
			r, err := (&http.Client{Transport: transport}).Get(c.http + l.Addr().String() + "/")
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(r.Body)
			_ = r.Body.Close()
			if string(body) != c.want || r.ProtoMajor != 1 {
				t.Errorf("HTTP: request by %q, %s; want %q, HTTP/1.1", body, r.Proto, c.want)
			}

			dialer := websocket.Dialer{TLSClientConfig: c.tls.Clone()}
			ws, _, err := dialer.Dial(c.ws+l.Addr().String()+"/ws", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer ws.Close()
			if err := ws.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
				t.Fatal(err)
			}
			if _, m, err := ws.ReadMessage(); string(m) != "hello by "+c.want {
				t.Errorf("WebSocket: %q, %v", m, err)
			}

			client := dial(t, l, c.tls)
			write(t, client, stun)
			server := acceptTURN(t, l)
			got := make([]byte, len(stun))
			if _, err := io.ReadFull(server, got); err != nil || string(got) != string(stun) {
				t.Errorf("TURN: got % x, %v", got, err)
			}
			write(t, server, []byte("answer"))
			if _, err := io.ReadFull(client, got[:6]); err != nil || string(got[:6]) != "answer" {
				t.Errorf("TURN: answer %q, %v", got[:6], err)
			}
		})
	}
	if s := l.Stats(); s.HTTP != 4 || s.TURN != 2 || s.Failed != 0 || s.Refused != 0 {
		t.Errorf("Stats: %+v", s)
	}
}

func TestTLS_NoHTTP2Offered(t *testing.T) {
	serverTLS, clientTLS := testTLS(t)
	serverTLS.NextProtos = []string{"h2", "http/1.1"}
	l := listen(t, Config{TLS: serverTLS})
	clientTLS.NextProtos = []string{"h2", "http/1.1"}
	c := dial(t, l, clientTLS).(*tls.Conn)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if got := c.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("negotiated %q", got)
	}
}

func TestTLS_WithoutCertificate_Closed(t *testing.T) {
	_, clientTLS := testTLS(t)
	l := listen(t, Config{})
	if err := dial(t, l, clientTLS).(*tls.Conn).Handshake(); err == nil {
		t.Error("a handshake without a certificate")
	}
}

func TestConfig_GetConfigForClient_Refused(t *testing.T) {
	own := func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil }
	if l, err := Listen(Config{Address: "127.0.0.1:0", TLS: &tls.Config{GetConfigForClient: own}}); err == nil {
		_ = l.Close()
		t.Error("taken")
	}
}

func TestSilentClients_DoNotBlockOthers(t *testing.T) {
	serverTLS, clientTLS := testTLS(t)
	l := listen(t, Config{TLS: serverTLS})
	for range 20 {
		dial(t, l, nil)                            // says nothing
		write(t, dial(t, l, nil), []byte{0x16, 3}) // stops within the ClientHello
		write(t, dial(t, l, nil), stun)            // is TURN, which nobody accepts yet
	}
	serveHTTP(t, l)
	transport := &http.Transport{TLSClientConfig: clientTLS}
	defer transport.CloseIdleConnections()
	r, err := (&http.Client{Transport: transport}).Get("https://" + l.Addr().String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
}

func TestSlowClients_EndAfterWait(t *testing.T) {
	serverTLS, clientTLS := testTLS(t)
	slow := map[string]func(net.Conn, *Listener){
		"silent":               func(net.Conn, *Listener) {},
		"half a ClientHello":   func(c net.Conn, _ *Listener) { write(t, c, []byte{0x16, 3, 1}) },
		"TLS, then silent":     func(c net.Conn, _ *Listener) { _ = tls.Client(c, clientTLS).Handshake() },
		"TURN nobody accepts":  func(c net.Conn, _ *Listener) { write(t, c, stun) },
		"HTTP nobody accepts":  func(c net.Conn, _ *Listener) { write(t, c, []byte("GET / HTTP/1.1\r\n\r\n")) },
		"ClientHello by bytes": func(c net.Conn, _ *Listener) { trickle(c) },
	}
	for name, begin := range slow {
		t.Run(name, func(t *testing.T) {
			l := listen(t, Config{TLS: serverTLS, Wait: 200 * time.Millisecond})
			c := dial(t, l, nil)
			begin(c, l)
			closedByServer(t, c)
			_ = l.Close()
			if s := l.Stats(); s.Failed != 1 || s.Open != 0 {
				t.Errorf("Stats: %+v", s)
			}
		})
	}
}

// trickle sends a TLS record's header that promises much and then a byte now and then, until it fails.
func trickle(c net.Conn) {
	_, err := c.Write([]byte{0x16, 3, 1, 0x3f, 0xff})
	for tick := time.NewTicker(5 * time.Millisecond); err == nil; <-tick.C {
		_, err = c.Write([]byte{1})
	}
}

func TestWaiting_OldestGivesWay(t *testing.T) {
	l := listen(t, Config{Waiting: 2})
	first, second := dial(t, l, nil), dial(t, l, nil)
	third := dial(t, l, nil)
	closedByServer(t, first)
	fourth := dial(t, l, nil)
	closedByServer(t, second)
	if s := l.Stats(); s.Displaced != 2 || s.Waiting != 2 {
		t.Errorf("Stats: %+v", s)
	}
	for _, c := range []net.Conn{third, fourth} {
		write(t, c, stun)
		acceptTURN(t, l)
	}
}

func TestPerAddress_OneTooMany_Closed(t *testing.T) {
	l := listen(t, Config{PerAddress: 2})
	first := dial(t, l, nil)
	dial(t, l, nil)
	closedByServer(t, dial(t, l, nil))

	write(t, first, stun)
	if err := acceptTURN(t, l).Close(); err != nil { // makes room again
		t.Fatal(err)
	}
	again := dial(t, l, nil)
	write(t, again, stun)
	acceptTURN(t, l)
	if s := l.Stats(); s.Refused != 1 || s.Open != 2 || s.Hits.PerAddress != 1 || s.Hits.MostOfAddress != 2 {
		t.Errorf("Stats: %+v", s)
	}
}

func TestTURNPerAddress_OneTooMany_Closed_HTTPGoesOn(t *testing.T) {
	l := listen(t, Config{TURNPerAddress: 1})
	serveHTTP(t, l)
	write(t, dial(t, l, nil), stun)
	held := acceptTURN(t, l)
	second := dial(t, l, nil)
	write(t, second, stun)
	closedByServer(t, second)

	c := dial(t, l, nil)
	write(t, c, []byte("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", r, err)
	}
	_ = r.Body.Close()

	_ = held.Close()
	write(t, dial(t, l, nil), stun)
	acceptTURN(t, l)
}

func TestMax_OneTooMany_Closed(t *testing.T) {
	l := listen(t, Config{Max: 1, PerAddress: -1})
	dial(t, l, nil)
	closedByServer(t, dial(t, l, nil))
}

func TestClientOf(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7":            "192.0.2.7",
		"::ffff:192.0.2.7":     "192.0.2.7",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::",
		"fe80::1%eth0":         "fe80::",
		"2001:db8:1:2:ffff::1": "2001:db8:1:2::",
		"2001:db8:1:3:ffff::1": "2001:db8:1:3::",
	} {
		a, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(in, "9"))
		if err != nil {
			t.Fatal(err)
		}
		if got := clientOf(a).String(); got != want {
			t.Errorf("clientOf(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestHalfClosed_OtherHalfGoesOn(t *testing.T) {
	l := listen(t, Config{})
	if err := l.HTTP().Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.HTTP().Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	c := dial(t, l, nil)
	write(t, c, []byte("GET / HTTP/1.1\r\n\r\n"))
	closedByServer(t, c)
	write(t, dial(t, l, nil), stun)
	acceptTURN(t, l)
}

func TestClose_EndsAllThatWait_KeepsAccepted(t *testing.T) {
	l := listen(t, Config{})
	client := dial(t, l, nil)
	write(t, client, stun)
	accepted := acceptTURN(t, l)
	silent, unaccepted := dial(t, l, nil), dial(t, l, nil)
	write(t, unaccepted, stun)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	closedByServer(t, silent)
	closedByServer(t, unaccepted)
	if _, err := l.TURN().Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	write(t, accepted, []byte("on"))
	if _, err := io.ReadFull(client, make([]byte, 2)); err != nil {
		t.Errorf("an accepted connection ended with the listener: %v", err)
	}
	if s := l.Stats(); s.Waiting != 0 || s.Open != 1 {
		t.Errorf("Stats: %+v", s)
	}
}

func TestShutdown_HTTPServerClosesItsHalf(t *testing.T) {
	l := listen(t, Config{})
	server := &http.Server{ReadHeaderTimeout: time.Minute}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l.HTTP()) }()
	write(t, dial(t, l, nil), []byte("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
	if err := server.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve: %v", err)
	}
}

// stream is a connection that says in and then nothing more.
type stream struct {
	net.Conn
	in io.Reader
}

func (s stream) Read(p []byte) (int, error) { return s.in.Read(p) }

func FuzzTell_KindFitsAndNothingIsLost(f *testing.F) {
	f.Add(stun)
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Add([]byte{0x16, 3, 1, 0, 5})
	f.Add([]byte{0x40, 0, 0, 4})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, in []byte) {
		c := &plain{Conn: stream{in: strings.NewReader(string(in))}}
		out, k, err := tell(t.Context(), c, nil)
		switch {
		case len(in) == 0:
			if !errors.Is(err, io.EOF) {
				t.Fatalf("silence is %v", err)
			}
			return
		case in[0] == 0x16:
			if !errors.Is(err, errNoCertificate) {
				t.Fatalf("TLS without a certificate is %v", err)
			}
			return
		case err != nil:
			t.Fatal(err)
		}
		if want := map[bool]kind{true: kindTURN, false: kindHTTP}[in[0] < 0x40]; k != want {
			t.Errorf("% x is %v, want %v", in[:1], k, want)
		}
		if got, err := io.ReadAll(out); err != nil || string(got) != string(in) {
			t.Errorf("handed out % x of % x, %v", got, in, err)
		}
	})
}

func TestKindOf_NeverTLSInTLS(t *testing.T) {
	for b := range 256 {
		switch k := kindOf(byte(b), true); {
		case k == kindTLS:
			t.Errorf("%#x is TLS in TLS", b)
		case (k == kindTURN) != (b < 0x40):
			t.Errorf("%#x is %v in TLS", b, k)
		}
	}
}
