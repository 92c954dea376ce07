package main

import (
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/anteroom/anteroom/internal/udp"
)

// batch is how many messages the floor reads and writes in one system call: no fewer than the transport.
const batch = 64

// floor is the role 'floor': reads, opens, rewrites 12 bytes, seals and writes; no address is checked, no stream numbered,
// nothing kept, repeated or counted.
func floor(args []string) error {
	flags := newFlags("floor")
	if err := flags.Parse(args); err != nil {
		return err
	}
	socket, err := udp.Listen(netip.MustParseAddrPort("127.0.0.1:0"), udp.Options{Buffer: 4 << 20})
	if err != nil {
		return err
	}
	var f floorForwarder
	mux := http.NewServeMux()
	handle(mux, "/seat", func(in seating) (struct{}, error) { return struct{}{}, f.seat(in) })
	handle(mux, "/counts", func(struct{}) (counts, error) {
		return counts{Mallocs: mallocs(), Unsent: f.unsent.Load(), Forwarded: f.forwarded.Load()}, nil
	})
	go f.run(socket)
	return run(mux, socket.LocalAddr())
}

type floorForwarder struct {
	flows             atomic.Pointer[map[netip.AddrPort]*floorFlow]
	unsent, forwarded atomic.Uint64
}

// floorFlow is a client of the floor.
type floorFlow struct {
	addr           netip.AddrPort
	opener, sealer *srtp.Context
	viewers        []*floorFlow
}

func (f *floorForwarder) seat(in seating) error {
	flows := map[netip.AddrPort]*floorFlow{}
	var all []*floorFlow
	for i, addr := range in.Flows {
		opener, err := floorContext(i, 'c')
		if err != nil {
			return err
		}
		sealer, err := floorContext(i, 's')
		if err != nil {
			return err
		}
		flow := &floorFlow{addr: addr, opener: opener, sealer: sealer}
		flows[addr] = flow
		all = append(all, flow)
	}
	for _, room := range in.Rooms {
		for _, i := range room {
			for _, k := range room {
				if k != i {
					all[i].viewers = append(all[i].viewers, all[k])
				}
			}
		}
	}
	f.flows.Store(&flows)
	return nil
}

// floorContext makes the keys of a flow and direction, which both ends derive from its number.
func floorContext(flow int, direction byte) (*srtp.Context, error) {
	seed := sha256.Sum256(append(binary.BigEndian.AppendUint32(nil, uint32(flow)), direction))
	return srtp.CreateContext(seed[:16], seed[16:28], srtp.ProtectionProfileAeadAes128Gcm)
}

func (f *floorForwarder) run(socket *udp.Socket) {
	r, w := socket.NewReader(batch), socket.NewWriter(batch)
	var out []udp.Datagram
	buffers := make([][udp.MaxDatagram]byte, 16*batch)
	var header rtp.Header
	for {
		ds, err := r.Read()
		if err != nil {
			return
		}
		flows := f.flows.Load()
		if flows == nil {
			continue
		}
		out = out[:0]
		for _, d := range ds {
			flow := (*flows)[d.Addr]
			if flow == nil || d.Data[1] >= 192 && d.Data[1] <= 223 {
				continue // what is not media costs the floor nothing
			}
			plain, err := flow.opener.DecryptRTP(d.Data[:0], d.Data, &header)
			if err != nil {
				continue
			}
			for _, viewer := range flow.viewers {
				if len(out) == len(buffers) {
					f.unsent.Add(uint64(w.Write(out)))
					out = out[:0]
				}
				buf := buffers[len(out)][:]
				copy(buf, plain)
				rewrite(buf)
				sealed, err := viewer.sealer.EncryptRTP(buf[:0], buf[:len(plain)], &header)
				if err == nil {
					out = append(out, udp.Datagram{Data: sealed, Addr: viewer.addr})
				}
			}
		}
		slices.SortStableFunc(out, func(a, b udp.Datagram) int { return a.Addr.Compare(b.Addr) })
		f.unsent.Add(uint64(w.Write(out)))
		f.forwarded.Add(uint64(len(out)))
	}
}

// rewrite changes the 12 bytes that a forwarder must: numbers, time and source are another stream's.
func rewrite(b []byte) {
	binary.BigEndian.PutUint16(b[2:], binary.BigEndian.Uint16(b[2:])+7)
	binary.BigEndian.PutUint32(b[4:], binary.BigEndian.Uint32(b[4:])+9000)
	binary.BigEndian.PutUint32(b[8:], binary.BigEndian.Uint32(b[8:])+1)
}
