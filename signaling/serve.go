package signaling

import (
	"net/http"
	"slices"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/anteroom/anteroom/signaling/wire"
)

// Buffers of a socket. Most messages fit, longer ones pass by them.
const (
	readBuffer  = 512
	writeBuffer = 4096
)

var upgrader = websocket.Upgrader{
	Subprotocols:    []string{wire.Subprotocol},
	CheckOrigin:     func(*http.Request) bool { return true }, // allowedOrigin has
	ReadBufferSize:  readBuffer,
	WriteBufferSize: writeBuffer,
	WriteBufferPool: &sync.Pool{}, // few sockets write at one time
}

// ServeHTTP opens a socket and serves it until it ends, beyond its return: GET with subprotocol anteroom.v1 and an Origin that is this
// server's own or configured. Anything else is refused before the upgrade.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !h.allowedOrigin(r):
		http.Error(w, "Origin missing or not allowed", http.StatusForbidden)
		return
	case !slices.Contains(websocket.Subprotocols(r), wire.Subprotocol):
		http.Error(w, "subprotocol "+wire.Subprotocol+" is needed", http.StatusBadRequest)
		return
	case !h.enter():
		w.Header().Set("Retry-After", "5")
		http.Error(w, "busy or restarting", http.StatusServiceUnavailable)
		return
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		h.leave()
		return // Upgrade has answered
	}
	c := newConn(ws, h)
	code := h.confine(func() wire.CloseCode { return c.hello(r.Context(), h, r) })
	// The rest has a goroutine of its own: this one's stack is large by now, and holds the request and net/http's buffers.
	go h.converse(c, code)
}

// converse is a connection's life after its hello, which answered how it is to be closed: 0 if it goes on.
func (h *Hub) converse(c *conn, code wire.CloseCode) {
	defer h.leave()
	defer func() { _ = c.ws.Close() }()
	switch {
	case code != 0:
	case c.hop != nil:
		code = h.confine(c.pass)
	case c.session != nil:
		code = h.confine(c.readLoop)
	}
	c.out.close(code)
	if c.session != nil {
		c.actor.post(gone{c, c.session})
	}
	<-c.written
	c.linger()
}

// allowedOrigin refuses pages of other sites, which would speak with the cookies of whoever looks at them (RFC 6455
// section 10.2).
func (h *Hub) allowedOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin != "" && (origin == h.publicURL(r) || origin == ownOrigin(r) || slices.Contains(h.origins, origin))
}

func ownOrigin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// enter counts a socket in, unless there are too many or the hub is closing.
func (h *Hub) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return false
	}
	if h.sockets >= h.maxSockets {
		h.meters.hit(limitSockets)
		return false
	}
	h.sockets++
	return true
}

func (h *Hub) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sockets--; h.sockets == 0 {
		h.quiet.Broadcast()
	}
}
