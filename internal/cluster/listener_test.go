package cluster

import (
	"net"
	"testing"
)

func TestLimited_OneTooMany_IsClosed_AndAPlaceIsGivenBack(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	b := newLimited(l, 1)
	defer b.Close()
	dial := func() net.Conn {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
		must(t, err)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	dial()
	first, err := b.Accept()
	must(t, err)
	tooMany := dial()
	third := make(chan net.Conn, 1)
	go func() {
		c, err := b.Accept() // which closes the second
		if err != nil {
			t.Error(err)
		}
		third <- c
	}()
	if n, err := tooMany.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes", n)
	}
	must(t, first.Close())
	_ = first.Close() // gives nothing back a second time
	dial()
	c := <-third
	if c.(interface{ NetConn() net.Conn }).NetConn() == nil {
		t.Error("nothing beneath")
	}
	must(t, c.Close())
	if len(b.places) != 0 {
		t.Errorf("%d places taken", len(b.places))
	}
}
