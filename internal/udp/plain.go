package udp

import (
	"errors"
	"net"
	"os"
	"time"
)

// plainReader reads one datagram a call.
type plainReader struct {
	conn *net.UDPConn
	buf  [MaxDatagram]byte
	got  [1]Datagram
}

func newPlainReader(s *Socket) *plainReader { return &plainReader{conn: s.conn} }

func (r *plainReader) Read() ([]Datagram, error) {
	n, from, err := r.conn.ReadFromUDPAddrPort(r.buf[:])
	if err != nil {
		return nil, err
	}
	r.got[0] = Datagram{Data: r.buf[:n], Addr: unmap(from)}
	return r.got[:], nil
}

// Poll implements Reader. A deadline that has passed would forbid to read what is there, so it waits for a moment.
func (r *plainReader) Poll() ([]Datagram, error) {
	if err := r.conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		return nil, err
	}
	defer r.conn.SetReadDeadline(time.Time{}) //nolint:errcheck // fails on closed sockets only
	ds, err := r.Read()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, nil
	}
	return ds, err
}

type plainWriter struct{ conn *net.UDPConn }

func (w *plainWriter) Write(ds []Datagram) (refused int) {
	for _, d := range ds {
		if _, err := w.conn.WriteToUDPAddrPort(d.Data, d.Addr); err != nil {
			refused++
		}
	}
	return refused
}
