package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/anteroom/anteroom/signaling/wire"
)

// Errors of the connection; what the server refuses is an *Error.
var (
	ErrDisconnected = errors.New("client: not connected")
	ErrUnanswered   = errors.New("client: too many requests without an answer")
	ErrProtocol     = errors.New("client: the server broke the protocol")
	ErrBadLink      = errors.New("client: not a link to a visit or a waiting room")
)

// Error is the server's refusal of a request, or of POST /v1/join (then only Code and Msg are set).
type Error wire.Error

func (e *Error) Error() string { return fmt.Sprintf("refused: %s: %s", e.Code, e.Msg) }

// Code is the code with which the server refused, or empty if err is something else or nil.
func Code(err error) wire.Code {
	if refusal := (*Error)(nil); errors.As(err, &refusal) {
		return refusal.Code
	}
	return ""
}

// Options say what kind of device opens a link. The zero value is a telephone.
type Options struct {
	Device wire.Device // empty: wire.DevicePhone
	Room   string      // staff: the waiting room to work in; empty: the first
	TLS    *tls.Config // nil: the system's roots
	// Jar is the browser's, nil for an empty one.
	Jar http.CookieJar
	// RelayOnly has media go through the TURN servers that welcome names, and no other way: as where UDP is blocked.
	RelayOnly bool
	// RelayAt is the host:port of these servers if a load balancer stands before them; empty: as welcome says.
	RelayAt string
	// From is the address that the page is at, among this machine's; zero: whichever the system takes.
	From netip.Addr
	// Lag is how much later than it should a ping goes out, as over a slow link; it is asked before each. nil: not at all.
	Lag func() time.Duration
}

// dial opens a TCP connection from where the page is.
func (o Options) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	if o.From.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(o.From, 0))
	}
	return d.DialContext(ctx, network, address)
}

// Client is one page. It is safe for concurrent use, but for Connect, Disconnect and Cut, which one
// goroutine at a time may call. Close ends everything it started.
type Client struct {
	Joined wire.Joined // what POST /v1/join answered

	base *url.URL
	http *http.Client // its jar is the browser's; pages of one browser share it
	opts Options
	id   string // identifies the page: hello.client
	tab  string

	out    sync.Mutex // held while frames are written, so that ids go out in their order
	lastID uint64     // guarded by out

	mu        sync.Mutex // guards all below
	conn      *conn      // nil while disconnected
	closeCode wire.CloseCode
	calls     map[uint64]*call // requests without an answer
	peer      *Peer
	peerID    string
	former    *Peer // of an owner that has handed the room over, beside the next
	keep      bool  // the peer goes on beside the next
	state     state
	changed   pulse // fires when anything below mu changed
}

// Join exchanges the token of a link for a cookie, as a browser that never saw the link does. Nothing
// is connected yet. A refusal is an *Error with the code of the problem document.
func Join(ctx context.Context, link string, opts Options) (*Client, error) {
	u, err := url.Parse(link)
	if err != nil || u.Fragment == "" || u.Host == "" {
		return nil, ErrBadLink
	}
	jar := opts.Jar
	if jar == nil {
		if jar, err = cookiejar.New(nil); err != nil {
			return nil, err
		}
	}
	base := &url.URL{Scheme: u.Scheme, Host: u.Host}
	c := &Client{
		base: base,
		http: &http.Client{Jar: jar, Transport: &http.Transport{DialContext: opts.dial, TLSClientConfig: opts.TLS, DisableKeepAlives: true}},
		opts: opts,
		tab:  randomID(),
	}
	if c.Joined, err = c.join(ctx, u.Fragment); err != nil {
		return nil, err
	}
	return c.page(c.tab), nil
}

func (c *Client) join(ctx context.Context, token string) (joined wire.Joined, err error) {
	body, err := json.Marshal(map[string]string{"token": token})
	if err != nil {
		return joined, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.JoinPath("/v1/join").String(), bytes.NewReader(body))
	if err != nil {
		return joined, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", c.base.String())
	resp, err := c.http.Do(req)
	if err != nil {
		return joined, err
	}
	defer resp.Body.Close()
	decoder := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, wire.MaxMessageBytes))
	if resp.StatusCode >= 300 {
		var problem struct {
			Code   wire.Code `json:"code"`
			Detail string    `json:"detail"`
		}
		if err := decoder.Decode(&problem); err != nil {
			return joined, fmt.Errorf("join: status %d", resp.StatusCode)
		}
		return joined, &Error{Code: problem.Code, Msg: problem.Detail}
	}
	return joined, decoder.Decode(&joined)
}

// page is a new page in the same browser.
func (c *Client) page(tab string) *Client {
	return &Client{
		Joined: c.Joined,
		base:   c.base,
		http:   c.http,
		opts:   c.opts,
		id:     randomID(),
		tab:    tab,
		calls:  make(map[uint64]*call),
		state:  newState(),
	}
}

// Refreshed is the page after a refresh in the same tab: it has the cookie and the tab's id, and
// nothing else. The page before is left as it is; Close it first if it should be gone first.
func (c *Client) Refreshed() *Client { return c.page(c.tab) }

// NewTab is the same address opened in another tab of the same browser.
func (c *Client) NewTab() *Client { return c.page(randomID()) }

// At is the same page at another address of the server, as after a restart on another port.
func (c *Client) At(base string) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	moved := c.page(c.tab)
	moved.base = &url.URL{Scheme: u.Scheme, Host: u.Host}
	return moved, nil
}

// Close ends the page as a closed tab does: the seat is kept, nothing is said. It waits for everything
// the client started.
func (c *Client) Close() {
	c.Cut()
	c.mu.Lock()
	peer, former := c.peer, c.former
	c.peer, c.peerID, c.former = nil, "", nil
	for id, call := range c.calls {
		delete(c.calls, id)
		call.answer <- answer{err: ErrDisconnected}
	}
	c.mu.Unlock()
	for _, p := range []*Peer{peer, former} {
		if p != nil {
			p.Close()
		}
	}
}

// randomID makes an id for hello.client and hello.tab.
func randomID() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// pulse wakes whoever waits for a change. The zero value is ready; its owner's mutex guards it.
type pulse struct{ ch chan struct{} }

// next is closed at the next fire.
func (p *pulse) next() <-chan struct{} {
	if p.ch == nil {
		p.ch = make(chan struct{})
	}
	return p.ch
}

func (p *pulse) fire() {
	if p.ch != nil {
		close(p.ch)
		p.ch = nil
	}
}

// await waits until done, which is called under mu, says so; p has to fire at each change.
func await(ctx context.Context, mu *sync.Mutex, p *pulse, done func() bool) error {
	for {
		mu.Lock()
		if done() {
			mu.Unlock()
			return nil
		}
		next := p.next()
		mu.Unlock()
		select {
		case <-next:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
