package udp

import (
	"encoding/binary"
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	header unix.Msghdr
	n      uint32
}

const (
	// maxRead bounds one message: what the kernel may have put together from one flow.
	maxRead = 1 << 16
	// maxGroup bounds the datagrams of one message (UDP_MAX_SEGMENTS in older kernels), and maxGroupBytes their bytes, headers
	// included.
	maxGroup      = 64
	maxGroupBytes = 1<<16 - 128
	// controlRoom holds the ancillary data of a message: a packet info and a segment size.
	controlRoom = 64
)

func reusePort(_, _ string, raw syscall.RawConn) (err error) {
	if e := raw.Control(func(fd uintptr) {
		err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
	}); e != nil {
		return e
	}
	return err
}

// prepare asks for what the kernel may not know; without it datagrams come one by one.
func prepare(s *Socket) {
	_ = s.raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_GRO, 1)
		if s.options.PacketInfo {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
		}
	})
}

// messages is memory for one system call's messages, that never moves.
type messages struct {
	headers []mmsghdr
	names   []unix.RawSockaddrInet6 // the larger of the two families
	control []byte
}

func newMessages(n int) messages {
	return messages{
		headers: make([]mmsghdr, n),
		names:   make([]unix.RawSockaddrInet6, n),
		control: make([]byte, n*controlRoom),
	}
}

func (m *messages) room(i int) []byte { return m.control[i*controlRoom : (i+1)*controlRoom] }

// system calls a batch system call, which does not wait, on the headers from place i on. The runtime is not told of the call: it would
// wake its monitor thread for it whenever the process was idle before, which costs a lightly loaded server half its time.
func (m *messages) system(call, fd uintptr, from, n int) (int, syscall.Errno) {
	done, _, errno := unix.RawSyscall6(call, fd, uintptr(unsafe.Pointer(&m.headers[from])), uintptr(n), unix.MSG_DONTWAIT, 0, 0)
	return int(done), errno
}

// busyReads is how many reads in a row may find something before the runtime is told of one. Only its monitor takes a core from a
// goroutine that never waits, and it may be asleep.
const busyReads = 32

// wakeMonitor makes the cheapest system call of which the runtime is told.
func wakeMonitor() { _, _, _ = unix.Syscall(unix.SYS_GETPID, 0, 0, 0) }

type reader struct {
	socket *Socket
	messages
	iovecs []unix.Iovec
	bufs   [][]byte
	got    []Datagram

	read  func(fd uintptr) bool
	busy  int // reads in a row that found something
	n     int
	errno syscall.Errno
	wait  bool
}

func newReader(s *Socket, batch int) Reader {
	r := &reader{socket: s, messages: newMessages(batch), iovecs: make([]unix.Iovec, batch)}
	memory := make([]byte, batch*maxRead) // the kernel's pages, taken when they are written to
	for i := range r.headers {
		r.bufs = append(r.bufs, memory[i*maxRead:(i+1)*maxRead])
		r.iovecs[i].Base = &r.bufs[i][0]
		r.iovecs[i].SetLen(maxRead)
		h := &r.headers[i].header
		h.Iov = &r.iovecs[i]
		h.SetIovlen(1)
		h.Name = (*byte)(unsafe.Pointer(&r.names[i]))
		h.Control = &r.room(i)[0]
	}
	r.read = func(fd uintptr) bool {
		if r.busy++; r.busy%busyReads == 0 {
			wakeMonitor()
		}
		r.n, r.errno = r.system(unix.SYS_RECVMMSG, fd, 0, len(r.headers))
		if r.errno == unix.EAGAIN {
			r.busy = 0
		}
		return !r.wait || r.errno != unix.EAGAIN
	}
	return r
}

func (r *reader) Read() ([]Datagram, error) { return r.take(true) }

func (r *reader) Poll() ([]Datagram, error) { return r.take(false) }

func (r *reader) take(wait bool) ([]Datagram, error) {
	for i := range r.headers {
		h := &r.headers[i].header
		h.Namelen = unix.SizeofSockaddrInet6
		h.SetControllen(controlRoom)
	}
	r.wait = wait
	if err := r.socket.raw.Read(r.read); err != nil {
		return nil, err
	}
	switch r.errno {
	case 0:
	case unix.EAGAIN, unix.EINTR:
		return nil, nil
	default:
		return nil, os.NewSyscallError("recvmmsg", r.errno)
	}
	r.got = r.got[:0]
	for i := range r.n {
		r.split(i)
	}
	return r.got, nil
}

// split adds the datagrams of message i.
func (r *reader) split(i int) {
	m := &r.headers[i]
	addr, ok := address(&r.names[i])
	if !ok {
		return
	}
	segment, local := parseControl(r.room(i)[:m.header.Controllen])
	data := r.bufs[i][:m.n]
	for more := true; more; {
		one := data
		if more = segment > 0 && len(data) > segment; more {
			one, data = data[:segment:segment], data[segment:]
		}
		r.got = append(r.got, Datagram{Data: one[:min(len(one), MaxDatagram)], Addr: addr, Local: local})
	}
}

// parseControl reads the ancillary data of a message. A message without a segment size is one datagram.
func parseControl(b []byte) (segment int, local netip.Addr) {
	for len(b) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
		if h.Len < unix.SizeofCmsghdr || int(h.Len) > len(b) {
			return segment, local
		}
		data := b[unix.CmsgLen(0):h.Len]
		switch {
		case h.Level == unix.IPPROTO_UDP && h.Type == unix.UDP_GRO && len(data) >= 4:
			segment = int(binary.NativeEndian.Uint32(data))
		case h.Level == unix.IPPROTO_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			local = netip.AddrFrom4((*unix.Inet4Pktinfo)(unsafe.Pointer(&data[0])).Addr)
		}
		b = b[min(unix.CmsgSpace(len(data)), len(b)):]
	}
	return segment, local
}

func address(name *unix.RawSockaddrInet6) (netip.AddrPort, bool) {
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&name.Port))[:])
	switch name.Family {
	case unix.AF_INET:
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(name))
		return netip.AddrPortFrom(netip.AddrFrom4(v4.Addr), port), true
	case unix.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16(name.Addr).Unmap(), port), true
	}
	return netip.AddrPort{}, false
}

type writer struct {
	socket *Socket
	messages
	iovecs   []unix.Iovec
	groups   []int // how many datagrams each message carries
	segments bool  // the kernel takes several datagrams in a message

	write    func(fd uintptr) bool
	from, to int // the messages to send
	n        int
	errno    syscall.Errno
}

func newWriter(s *Socket, batch int) Writer {
	w := &writer{
		socket: s, messages: newMessages(batch), iovecs: make([]unix.Iovec, 0, batch*4), groups: make([]int, 0, batch), segments: true,
	}
	w.write = func(fd uintptr) bool {
		w.n, w.errno = w.system(unix.SYS_SENDMMSG, fd, w.from, w.to-w.from)
		return w.errno != unix.EAGAIN
	}
	return w
}

func (w *writer) Write(ds []Datagram) (refused int) {
	for len(ds) > 0 {
		n := w.prepare(ds)
		done, lost := w.send()
		refused += lost
		if done < len(w.groups) { // the kernel does not take groups: the rest again, one by one
			n = 0
			for _, size := range w.groups[:done] {
				n += size
			}
		}
		ds = ds[n:]
	}
	return refused
}

// prepare fills messages with as many of the datagrams as fit and returns how many.
func (w *writer) prepare(ds []Datagram) (taken int) {
	w.iovecs, w.groups = w.iovecs[:0], w.groups[:0]
	for len(ds) > 0 && len(w.groups) < len(w.headers) {
		n := 1
		if w.segments {
			n = group(ds)
		}
		if len(w.iovecs)+n > cap(w.iovecs) {
			break
		}
		w.message(len(w.groups), ds[:n])
		w.groups = append(w.groups, n)
		taken += n
		ds = ds[n:]
	}
	return taken
}

// group returns how many datagrams at the start can go in one message: of one flow, all as long as the first but the
// last, which may be shorter.
func group(ds []Datagram) int {
	first := &ds[0]
	bytes := len(first.Data)
	n := 1
	for n < len(ds) && n < maxGroup {
		d := &ds[n]
		bytes += len(d.Data)
		if len(d.Data) > len(first.Data) || len(d.Data) == 0 || bytes > maxGroupBytes || d.Addr != first.Addr || d.Local != first.Local {
			break
		}
		n++
		if len(d.Data) < len(first.Data) {
			break
		}
	}
	return n
}

// message makes the message at place i carry ds.
func (w *writer) message(i int, ds []Datagram) {
	h := &w.headers[i].header
	start := len(w.iovecs)
	for _, d := range ds {
		v := unix.Iovec{Base: unsafe.SliceData(d.Data)}
		v.SetLen(len(d.Data))
		w.iovecs = append(w.iovecs, v)
	}
	h.Iov = &w.iovecs[start]
	h.SetIovlen(len(ds))
	h.Name = (*byte)(unsafe.Pointer(&w.names[i]))
	h.Namelen = w.socket.name(&w.names[i], ds[0].Addr)
	room := w.room(i)
	used := 0
	if len(ds) > 1 {
		used += putControl(room, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 2)
		binary.NativeEndian.PutUint16(room[unix.CmsgLen(0):], uint16(len(ds[0].Data)))
	}
	if local := ds[0].Local; local.Is4() {
		at := used
		used += putControl(room[at:], unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
		*(*unix.Inet4Pktinfo)(unsafe.Pointer(&room[at+unix.CmsgLen(0)])) = unix.Inet4Pktinfo{Spec_dst: local.As4()}
	}
	h.Control = nil
	if used > 0 {
		h.Control = &room[0]
	}
	h.SetControllen(used)
}

// putControl writes the head of ancillary data of size bytes and returns the room that it takes.
func putControl(room []byte, level, kind int32, size int) int {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&room[0]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(size))
	return unix.CmsgSpace(size)
}

// name writes an address as the socket's family wants it and returns its length.
func (s *Socket) name(to *unix.RawSockaddrInet6, a netip.AddrPort) uint32 {
	if !s.ipv6 {
		v4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(to))
		*v4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: a.Addr().As4()}
		binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&v4.Port))[:], a.Port())
		return unix.SizeofSockaddrInet4
	}
	*to = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: a.Addr().As16()}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&to.Port))[:], a.Port())
	return unix.SizeofSockaddrInet6
}

// send sends the prepared messages. It returns how many messages are dealt with, all unless the kernel takes no groups, and
// how many datagrams were refused.
func (w *writer) send() (done, refused int) {
	w.from, w.to = 0, len(w.groups)
	for w.from < w.to {
		if err := w.socket.raw.Write(w.write); err != nil { // closed
			for _, size := range w.groups[w.from:] {
				refused += size
			}
			return w.to, refused
		}
		switch {
		case w.errno == 0:
			w.from += w.n
		case w.groups[w.from] > 1 && (w.errno == unix.EIO || w.errno == unix.EINVAL):
			w.segments = false
			return w.from, refused
		case w.errno != unix.EINTR: // the first that was not sent is the culprit
			refused += w.groups[w.from]
			w.from++
		}
	}
	return w.to, refused
}
