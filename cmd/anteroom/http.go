package main

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// routes is the public side.
func (s *server) routes(rest, pages http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1/signal", s.hub)
	for _, path := range []string{"/v1/", "/openapi.json", "/docs", "/docs.css"} {
		mux.Handle(path, rest)
	}
	mux.Handle("/", pages)
	public := s.overTLS(mux)
	top := http.NewServeMux()
	s.health(top)
	top.Handle("/", public)
	return top
}

// overTLS keeps people off plain HTTP where this server ends TLS, and tells browsers to stay off it.
func (s *server) overTLS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.cfg.TLS() && r.TLS == nil {
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				http.Error(w, "https only", http.StatusForbidden)
				return
			}
			to := string(s.cfg.PublicURL)
			if to == "" { // in development
				to = "https://" + r.Host
			}
			http.Redirect(w, r, to+r.URL.EscapedPath(), http.StatusPermanentRedirect)
			return
		}
		if s.cfg.PublicURL.Secure() {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// adminRoutes is the private side.
func (s *server) adminRoutes() http.Handler {
	mux := http.NewServeMux()
	s.health(mux)
	s.drainRoutes(mux)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics, promhttp.HandlerOpts{}))
	return mux
}

// tcpAddr is the address that --listen led to.
func (s *server) tcpAddr() netip.AddrPort {
	a, err := netip.ParseAddrPort(s.port.Addr().String())
	if err != nil {
		return netip.AddrPort{}
	}
	return a
}

// url is where the server is reached, as far as it knows.
func (s *server) url() string {
	if s.cfg.PublicURL != "" {
		return string(s.cfg.PublicURL)
	}
	scheme := "http://"
	if s.cfg.TLS() {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(s.host(), fmt.Sprint(s.tcpAddr().Port()))
}

// host is the name or address that clients use.
func (s *server) host() string {
	if s.cfg.PublicURL != "" {
		return s.cfg.PublicURL.Host()
	}
	if a := s.tcpAddr().Addr(); !a.IsUnspecified() {
		return a.Unmap().String()
	}
	return "localhost"
}

// publicURL is what links begin with. Without a configured one, in development only, it is what the browser used.
func (s *server) publicURL(r *http.Request) string {
	if s.cfg.PublicURL != "" || r == nil {
		return s.url()
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// clientAddr is who sent a request: the nearest address that is not one of our proxies.
func (s *server) clientAddr(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.IPv6Unspecified()
	}
	addr := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !s.isProxy(addr) {
			break
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		addr = next.Unmap()
	}
	return addr
}

func (s *server) isProxy(a netip.Addr) bool {
	for _, p := range s.cfg.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
