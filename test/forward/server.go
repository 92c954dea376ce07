package main

import (
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"runtime/pprof"

	"github.com/anteroom/anteroom/sfu"
	"github.com/anteroom/anteroom/sfu/transport"
)

// serve is the role 'server': the SFU without signaling.
func serve(args []string) error {
	flags := newFlags("server")
	profiling := flags.String("profile", os.Getenv("FORWARD_PROFILE"), "file to write a CPU profile to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *profiling != "" {
		file, err := os.Create(*profiling)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	media, err := transport.Listen(transport.Config{Listen: netip.MustParseAddrPort("127.0.0.1:0"), Loopback: true})
	if err != nil {
		return err
	}
	defer media.Close() //nolint:errcheck // ends with the process
	forwarder := sfu.New(sfu.Config{Transport: media})
	defer forwarder.Close()
	var peers []*sfu.Peer
	mux := http.NewServeMux()
	handle(mux, "/offer", func(in offered) (answered, error) {
		peer, answer, err := forwarder.NewPeer(in.Offer, sfu.PeerOptions{})
		peers = append(peers, peer)
		return answered{answer}, err
	})
	handle(mux, "/seat", func(in seating) (struct{}, error) {
		for _, room := range in.Rooms {
			for _, i := range room {
				peers[i].SetGate(true)
			}
			for _, i := range room {
				var others []*sfu.Peer
				for _, k := range room {
					if k != i {
						others = append(others, peers[k])
					}
				}
				peers[i].Point(others, nil)
			}
		}
		return struct{}{}, nil
	})
	handle(mux, "/leave", func(in seating) (struct{}, error) {
		for _, room := range in.Rooms {
			for _, i := range room {
				peers[i].Close()
				peers[i] = nil
			}
		}
		return struct{}{}, nil
	})
	handle(mux, "/counts", func(struct{}) (counts, error) {
		c := counts{Mallocs: mallocs(), Port: media.Counters()}
		c.Unsent = c.Port.Unsent
		c.Forwarded = forwarder.Stats().Forwarded
		return c, nil
	})
	answerMemory(mux, forwarder)
	return run(mux, media.Addr())
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
