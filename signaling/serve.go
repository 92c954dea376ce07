package signaling

import (
	"net/http"
	"slices"
	"sync"

	"github.com/gorilla/websocket"
	"go.uber.org/zap"

	"github.com/anteroom/anteroom/signaling/wire"
)

// ServeHTTP opens a socket and serves it until it ends: GET with subprotocol anteroom.v1 and an Origin that is this
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
	defer h.leave()
	upgrader := websocket.Upgrader{
		Subprotocols: []string{wire.Subprotocol},
		CheckOrigin:  func(*http.Request) bool { return true }, // above
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	defer func() { _ = ws.Close() }()
	c := newConn(ws, h.log, &h.meters)
	var writer sync.WaitGroup
	writer.Go(c.writeLoop)
	c.out.close(h.converse(c, r))
	if c.session != nil {
		c.actor.post(gone{c, c.session})
	}
	writer.Wait()
	c.linger()
}

// converse is a connection's life, from hello to the code it is to be closed with. A panic ends this connection alone.
func (h *Hub) converse(c *conn, r *http.Request) (code wire.CloseCode) {
	defer func() {
		if p := recover(); p != nil {
			h.metrics.panics.Inc()
			h.log.Error("conn_panic", zap.String("panic", panicText(p)), zap.Stack("stack"))
			code = wire.CloseBusy
		}
	}()
	if code := c.hello(r.Context(), h, r); code != 0 || c.session == nil {
		return code
	}
	return c.readLoop()
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
