package signaling

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/anteroom/anteroom/signaling/wire"
)

// pipeURL is a server that is reached over pipes, so that in a bubble a fake clock may run.
const pipeURL = "http://clinic.test"

// hijacked is an HTTP answer whose connection is a pipe.
type hijacked struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// dialPipe opens a socket over a pipe; serve is the server at its other end.
func dialPipe(t testing.TB, header http.Header, serve http.HandlerFunc) *websocket.Conn {
	t.Helper()
	here, there := net.Pipe()
	t.Cleanup(func() { _ = here.Close() })
	go func() {
		r, err := http.ReadRequest(bufio.NewReader(here))
		if err != nil {
			t.Error(err)
			return
		}
		serve(hijacked{httptest.NewRecorder(), here}, r)
	}()
	dialer := websocket.Dialer{
		Subprotocols:   []string{wire.Subprotocol},
		NetDialContext: func(context.Context, string, string) (net.Conn, error) { return there, nil },
	}
	ws, _, err := dialer.DialContext(t.Context(), "ws://clinic.test/v1/signal", header)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}
