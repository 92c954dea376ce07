// Package config is what the server can be told at its start: one struct, filled from flags, ANTEROOM_* variables of
// the environment and a YAML file, in this order of precedence, and checked as a whole.
//
// It owns names, defaults and bounds. It opens no socket and no file but the YAML one.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// EnvPrefix begins the names of variables; then comes the flag's name.
const EnvPrefix = "ANTEROOM"

// Serve is the configuration of a server. A zero Address stands for a default that depends on Dev: use the methods.
type Serve struct {
	Config string `placeholder:"FILE" help:"YAML file with settings by the names of these flags, without the dashes. Flags and environment win."`
	Dev    bool   `help:"For a developer's own machine: plain HTTP, a demo clinic, the try-it page, media over loopback."`
	JSON   bool   `name:"json" help:"Print one JSON line with the addresses when ready, and log in JSON."`
	Data   string `default:"data" placeholder:"DIR" help:"Folder of the database and the secrets; made if it is not there. Default: ${default}."`

	Store    string  `default:"file" enum:"file,redis" help:"Where visits and the directory are kept: a file of --data, or Redis. One of ${enum}. Default: ${default}."`
	Redis    Redis   `embed:""`
	Cluster  Cluster `embed:""`
	SealKeys string  `name:"seal-keys" placeholder:"FILE" help:"Keys with which names, birth dates, chat and notes are sealed in the store; read again when it changes. Default: seal-keys of --data, made if it is not there. Needed with --store redis, where every instance has the same."`

	Listen    Address  `placeholder:"HOST:PORT" help:"Address of HTTPS, WebSockets and TURN. Default: :8443; with --dev 127.0.0.1:8080."`
	PublicURL Site     `name:"public-url" placeholder:"URL" help:"What links begin with, such as https://visits.example.org. Needed without --dev."`
	TLSCert   string   `name:"tls-cert" placeholder:"FILE" help:"Certificate chain in PEM; read again when it changes. Without it a proxy in front has to end TLS."`
	TLSKey    string   `name:"tls-key" placeholder:"FILE" help:"Private key of --tls-cert in PEM."`
	Proxies   []Prefix `placeholder:"CIDR" help:"Proxies whose X-Forwarded-For is believed."`
	Origins   []Site   `placeholder:"URL" help:"Other sites whose pages may join visits here, such as a portal."`
	Admin     Address  `placeholder:"HOST:PORT" help:"Address of /metrics, /healthz and /readyz; keep it private. Default: 127.0.0.1:9090; with --dev any free port of 127.0.0.1."`

	Media          Endpoint `placeholder:"IP:PORT" help:"UDP address of media. Default: host and port of --listen."`
	MediaAdvertise []IP     `name:"media-advertise" placeholder:"IP" help:"Addresses at which clients reach --media, if they are not the machine's own."`
	TURN           bool     `name:"turn" default:"true" negatable:"" help:"Relay media over TCP and TLS on --listen for networks that block UDP. On by default; --no-turn to switch off."`
	Warm           int      `default:"10" help:"How many waiting people of a room have their media connection up, 1 to 1000. Default: ${default}."`

	MaxPeers   int `name:"max-peers" default:"2000" help:"Media connections beyond which new visits are told to try again in a moment, 10 to 100000. A quarter more is kept for visits under way. Default: ${default}."`
	MaxCPU     int `name:"max-cpu" default:"85" help:"Percent of the processors it may use, over 5 s, beyond which new visits are told so, 10 to 100; 0: never. Default: ${default}."`
	MaxPackets int `name:"max-packets" default:"0" help:"Packets forwarded a second, over 5 s, beyond which new visits are told so, 1000 to 100000000; 0: never. Default: ${default}."`

	Retention time.Duration `default:"24h" help:"How long personal data is kept after a visit's end where a waiting room says nothing else, 1s to 87600h. Default: ${default}."`
	LogLevel  string        `name:"log-level" default:"info" enum:"debug,info,warn,error" help:"One of ${enum}. Default: ${default}."`
}

// Validate refuses what does not go together, each by its name.
func (s *Serve) Validate() error {
	var errs []error
	wrong := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf("--"+name+": "+format, args...))
	}
	if s.Data == "" {
		wrong("data", "must name a folder")
	}
	errs = append(errs, s.Redis.check(s.Store == "redis")...)
	errs = append(errs, s.Cluster.check(s.Store == "redis")...)
	if s.Store == "redis" && s.SealKeys == "" && !s.Dev {
		wrong("seal-keys", "needed with --store redis: a file of keys, the same for every instance; anteroom store key makes one")
	}
	if s.TLSCert != "" && s.TLSKey == "" {
		wrong("tls-key", "needed with --tls-cert: a file with the private key in PEM")
	}
	if s.TLSKey != "" && s.TLSCert == "" {
		wrong("tls-cert", "needed with --tls-key: a file with the certificate chain in PEM")
	}
	switch {
	case s.Dev:
	case s.PublicURL == "":
		wrong("public-url", "needed without --dev: what links begin with, such as https://visits.example.org")
	case !s.PublicURL.Secure():
		wrong("public-url", "%q must begin with https, for browsers give plain http neither camera nor microphone", s.PublicURL)
	}
	if s.Warm < 1 || s.Warm > 1000 {
		wrong("warm", "%d is not from 1 to 1000", s.Warm)
	}
	for _, bound := range []struct {
		name        string
		is          int
		least, most int
		never       bool
	}{
		{"max-peers", s.MaxPeers, 10, 100_000, false},
		{"max-cpu", s.MaxCPU, 10, 100, true},
		{"max-packets", s.MaxPackets, 1000, 100_000_000, true},
	} {
		switch {
		case bound.never && bound.is == 0:
		case bound.is < bound.least || bound.is > bound.most:
			wrong(bound.name, "%d is not from %d to %d%s", bound.is, bound.least, bound.most, map[bool]string{true: ", or 0 for never"}[bound.never])
		}
	}
	if s.Retention < time.Second || s.Retention > 87600*time.Hour {
		wrong("retention", "%v is not from 1s to 87600h", s.Retention)
	}
	return errors.Join(errs...)
}

// ListenAddress is where HTTPS, WebSockets and TURN are served.
func (s *Serve) ListenAddress() string {
	switch {
	case s.Listen != "":
		return string(s.Listen)
	case s.Dev:
		return "127.0.0.1:8080"
	}
	return ":8443"
}

// AdminAddress is where metrics and health are served.
func (s *Serve) AdminAddress() string {
	switch {
	case s.Admin != "":
		return string(s.Admin)
	case s.Dev:
		return "127.0.0.1:0"
	}
	return "127.0.0.1:9090"
}

// MediaAddress is the UDP address of media, given the address that ListenAddress led to. A developer's default
// listens on loopback for the pages, but takes media on every interface, for browsers offer no loopback addresses.
func (s *Serve) MediaAddress(listening netip.AddrPort) netip.AddrPort {
	if s.Media.IsValid() {
		return s.Media.AddrPort
	}
	host, port := listening.Addr(), listening.Port()
	if s.Listen == "" && s.Dev {
		host = netip.IPv6Unspecified()
	}
	if _, asked, err := net.SplitHostPort(s.ListenAddress()); err == nil && asked == "0" {
		port = 0 // any is asked for, and the TCP port that was found may be taken for UDP
	}
	return netip.AddrPortFrom(host, port)
}

// PeersOfAll is how many media connections there may be in all: visits under way find room when new ones do not.
func (s *Serve) PeersOfAll() int { return s.MaxPeers + (s.MaxPeers+3)/4 }

// TLS tells whether this server ends TLS itself.
func (s *Serve) TLS() bool { return s.TLSCert != "" }

// Address is host and port to listen on; the host may be empty for all interfaces, the port 0 for any.
type Address string

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Address) UnmarshalText(text []byte) error {
	s := string(text)
	if s != "" {
		_, port, err := net.SplitHostPort(s)
		if err != nil || !isPort(port) {
			return fmt.Errorf("%q is not HOST:PORT, such as 127.0.0.1:8080 or :8443", s)
		}
	}
	*a = Address(s)
	return nil
}

func isPort(s string) bool {
	p, err := netip.ParseAddrPort("0.0.0.0:" + s)
	return err == nil && p.Addr().Is4()
}

// Endpoint is an IP address and port to listen on.
type Endpoint struct{ netip.AddrPort }

// UnmarshalText implements encoding.TextUnmarshaler. Without an IP address it is all interfaces.
func (e *Endpoint) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "" {
		*e = Endpoint{}
		return nil
	}
	if strings.HasPrefix(s, ":") {
		s = "[::]" + s
	}
	p, err := netip.ParseAddrPort(s)
	if err != nil {
		return fmt.Errorf("%q is not IP:PORT, such as 192.0.2.10:8443 or :8443", string(text))
	}
	e.AddrPort = p
	return nil
}

// IP is an address.
type IP struct{ netip.Addr }

// UnmarshalText implements encoding.TextUnmarshaler.
func (i *IP) UnmarshalText(text []byte) error {
	a, err := netip.ParseAddr(string(text))
	if err != nil || a.IsUnspecified() || a.Zone() != "" {
		return fmt.Errorf("%q is not an IP address, such as 192.0.2.10", string(text))
	}
	i.Addr = a
	return nil
}

// Prefix is a range of addresses.
type Prefix struct{ netip.Prefix }

// UnmarshalText implements encoding.TextUnmarshaler. An address alone is itself.
func (p *Prefix) UnmarshalText(text []byte) error {
	s := string(text)
	if a, err := netip.ParseAddr(s); err == nil {
		p.Prefix = netip.PrefixFrom(a, a.BitLen())
		return nil
	}
	r, err := netip.ParsePrefix(s)
	if err != nil {
		return fmt.Errorf("%q is not a range of addresses, such as 10.0.0.0/8", s)
	}
	p.Prefix = r.Masked()
	return nil
}

// Site is an origin: scheme, host and port.
type Site string

// UnmarshalText implements encoding.TextUnmarshaler. A slash at the end is taken off.
func (s *Site) UnmarshalText(text []byte) error {
	t := strings.TrimSuffix(string(text), "/")
	if t == "" {
		*s = ""
		return nil
	}
	u, err := url.Parse(t)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || u.Path != "" || u.User != nil ||
		strings.ContainsAny(t, "?#") || (u.Port() != "" && !isPort(u.Port())) {
		return fmt.Errorf("%q is not scheme, host and port alone, such as https://visits.example.org", string(text))
	}
	*s = Site(strings.ToLower(t))
	return nil
}

// Secure tells whether it is reached by TLS.
func (s Site) Secure() bool { return strings.HasPrefix(string(s), "https:") }

// Host is the host's name or address, without brackets.
func (s Site) Host() string {
	u, err := url.Parse(string(s))
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// Port is the port, said or implied.
func (s Site) Port() string {
	u, err := url.Parse(string(s))
	switch {
	case err != nil:
		return ""
	case u.Port() != "":
		return u.Port()
	case s.Secure():
		return "443"
	}
	return "80"
}
