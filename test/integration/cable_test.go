package integration

import (
	"net"
	"net/url"
	"sync"
	"testing"
)

// cable is a TCP path to a server that a test can cut, hold, or clog.
type cable struct {
	url    string // of the server, through the cable
	listen net.Listener
	tasks  sync.WaitGroup

	mu      sync.Mutex
	server  string // host:port
	severed bool
	strands map[*strand]struct{}
}

// strand is one connection through a cable.
type strand struct {
	near, far net.Conn
	clogged   bool // guarded by cable.mu: nothing passes any more, and neither end is told
	ended     chan struct{}
	end       sync.Once
}

// newCable lays a cable that is taken away when the test ends.
func newCable(t *testing.T, serverURL string) *cable {
	t.Helper()
	to := get(url.Parse(serverURL))(t)
	c := &cable{server: to.Host, strands: map[*strand]struct{}{}}
	c.listen = get(net.Listen("tcp", "127.0.0.1:0"))(t)
	c.url = "http://" + c.listen.Addr().String()
	c.tasks.Go(c.accept)
	t.Cleanup(func() {
		_ = c.listen.Close()
		c.sever()
		c.tasks.Wait()
	})
	return c
}

// through is a link of the server by way of the cable.
func (c *cable) through(t *testing.T, link string) string {
	t.Helper()
	u := get(url.Parse(link))(t)
	u.Host = c.listen.Addr().String()
	return u.String()
}

func (c *cable) accept() {
	for {
		near, err := c.listen.Accept()
		if err != nil {
			return
		}
		c.tasks.Go(func() { c.carry(near) })
	}
}

// carry forwards a connection until either end closes it, or the cable is cut.
func (c *cable) carry(near net.Conn) {
	c.mu.Lock()
	server := c.server
	c.mu.Unlock()
	far, err := net.Dial("tcp", server)
	if err != nil {
		_ = near.Close()
		return
	}
	s := &strand{near: near, far: far, ended: make(chan struct{})}
	defer s.close()
	c.mu.Lock()
	severed := c.severed
	c.strands[s] = struct{}{}
	c.mu.Unlock()
	if severed {
		return
	}
	var ways sync.WaitGroup
	ways.Go(func() { c.forward(s, near, far) })
	ways.Go(func() { c.forward(s, far, near) })
	ways.Wait()
	c.mu.Lock()
	delete(c.strands, s)
	c.mu.Unlock()
}

func (c *cable) forward(s *strand, from, to net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		c.mu.Lock()
		clogged := s.clogged
		c.mu.Unlock()
		if clogged {
			<-s.ended
			return
		}
		if err == nil {
			_, err = to.Write(buffer[:n])
		}
		if err != nil {
			s.close()
			return
		}
	}
}

func (s *strand) close() {
	s.end.Do(func() {
		close(s.ended)
		_, _ = s.near.Close(), s.far.Close()
	})
}

// lead brings what comes from now on to another server, and cuts what there is.
func (c *cable) lead(server string) {
	c.mu.Lock()
	c.server = server
	c.mu.Unlock()
	c.cut()
}

// cut ends every connection; new ones may come at once.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.strands {
		s.close()
	}
}

// sever cuts, and lets no new connection through until mend.
func (c *cable) sever() {
	c.mu.Lock()
	c.severed = true
	c.mu.Unlock()
	c.cut()
}

func (c *cable) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.severed = false
}

// clog lets nothing more pass through the connections that are open now, and keeps them open. New ones are forwarded.
func (c *cable) clog() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.strands {
		s.clogged = true
	}
}
