package integration

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// balancer takes connections at one address and brings each to one of several servers, in turn and without looking at it, as a
// plain load balancer does. One that refuses is passed over. A test may send all that come to one.
type balancer struct {
	listener net.Listener
	tasks    sync.WaitGroup

	mu       sync.Mutex
	backends []string
	turn     int
	pinned   int // -1: none
	open     map[net.Conn]struct{}
	closed   bool
}

// balancerOf is the environment variable that has the test binary be a balancer, of these addresses.
const balancerOf = "ANTEROOM_TEST_BALANCER_OF"

// balance is a balancer as a process, which prints its address and ends with its input.
func balance(backends []string) int {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	b := &balancer{listener: listener, backends: backends, pinned: -1, open: map[net.Conn]struct{}{}}
	fmt.Fprintln(os.Stdout, listener.Addr())
	b.tasks.Go(b.accept)
	_, _ = io.Copy(io.Discard, os.Stdin)
	b.close()
	return 0
}

// balanceElsewhere moves the balancer to a process of its own: a process may have so many files open, and one that holds both ends of all
// connections has three for each.
func (c *cluster) balanceElsewhere(t *testing.T) {
	t.Helper()
	var addresses []string
	for _, p := range c.all {
		addresses = append(addresses, p.web)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), balancerOf+"="+strings.Join(addresses, ","))
	cmd.Stderr = os.Stderr
	in, out := get(cmd.StdinPipe())(t), get(cmd.StdoutPipe())(t)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	address := get(bufio.NewReader(out).ReadString('\n'))(t)
	c.url = "http://" + strings.TrimSpace(address)
}

// startBalancer starts one that ends with the test.
func startBalancer(t *testing.T, backends ...string) *balancer {
	t.Helper()
	b := &balancer{listener: get(net.Listen("tcp", "127.0.0.1:0"))(t), backends: backends, pinned: -1, open: map[net.Conn]struct{}{}}
	b.tasks.Go(b.accept)
	t.Cleanup(b.close)
	return b
}

func (b *balancer) accept() {
	for {
		c, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.tasks.Go(func() { b.serve(c) })
	}
}

func (b *balancer) close() {
	_ = b.listener.Close()
	b.mu.Lock()
	b.closed = true
	for c := range b.open {
		_ = c.Close()
	}
	b.mu.Unlock()
	b.tasks.Wait()
}

// url is where clients find it.
func (b *balancer) url() string { return "http://" + b.listener.Addr().String() }

// pin brings what comes from now on to one server; -1: to each in turn.
func (b *balancer) pin(backend int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pinned = backend
}

// next is the server for a connection, at the given try.
func (b *balancer) next() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pinned >= 0 {
		return b.backends[b.pinned]
	}
	b.turn++
	return b.backends[b.turn%len(b.backends)]
}

// keep notes a connection that is to be closed at the end; false if that has come.
func (b *balancer) keep(c net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.open[c] = struct{}{}
	}
	return !b.closed
}

// dialer has a server see from where a connection comes, as far as that is an address of this machine.
func (b *balancer) dialer(from net.Conn) *net.Dialer {
	d := &net.Dialer{}
	if at, ok := from.RemoteAddr().(*net.TCPAddr); ok {
		d.LocalAddr = &net.TCPAddr{IP: at.IP}
	}
	return d
}

// bring is io.Copy in user space: by splice each way would take the two files of a pipe, and a process may have so many.
func bring(to io.Writer, from io.Reader) {
	_, _ = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 4<<10))
}

func (b *balancer) serve(from net.Conn) {
	defer from.Close()
	var to net.Conn
	for range len(b.backends) {
		var err error
		if to, err = b.dialer(from).Dial("tcp", b.next()); err == nil {
			break
		}
	}
	if to == nil {
		return
	}
	defer to.Close()
	if !b.keep(from) || !b.keep(to) {
		return
	}
	b.tasks.Go(func() {
		bring(to, from)
		_ = to.Close()
	})
	bring(from, to)
	_ = from.Close()
	b.mu.Lock()
	delete(b.open, from)
	delete(b.open, to)
	b.mu.Unlock()
}
