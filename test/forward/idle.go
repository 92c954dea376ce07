package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"
)

// held is what a fresh server holds for its peers, each.
type held struct {
	RSS, Anonymous      float64 // kB over the empty server
	Heap, Stacks        float64 // kB, live
	Objects, Goroutines float64
	Lost                float64 // % of media, which is more where the machine is busy, and then costs memory of its own
}

// idle measures what peers cost in memory: those who wait, and those in visits of two with media.
func idle(args []string) error {
	flags := newFlags("idle")
	reps := flags.Int("reps", 3, "repetitions, each with a fresh server")
	n := flags.Int("n", 200, "peers")
	settle := flags.Duration("settle", 10*time.Second, "how long peers are there before their memory is looked at")
	profile := flags.String("heap", "", "prefix of files for heap profiles, of which the last repetition stays; GODEBUG=memprofilerate=1 makes them exact")
	if err := flags.Parse(args); err != nil {
		return err
	}
	fmt.Printf("Memory of a peer. A fresh server on core 0, %d peers, %v; then its RSS over that of the empty server (the kernel's smaps_rollup),\n"+
		"as it is: no collection is asked for before, and none before the empty server's. Live heap, stacks and goroutines: runtime/metrics after\n"+
		"a collection, over the empty server's. warm: connected, gate closed, no media. media: visits of two, each sends %d VP8 packets of %d B and\n"+
		"%d of Opus a second and watches the other. n = %d repetitions.\n\n",
		*n, *settle, frames*10*framePackets, cameraBytes, int(time.Second/voiceEvery), *reps)
	seen := map[string][]held{}
	for range *reps {
		for _, kind := range []string{"warm", "media"} {
			h, err := hold(kind, *n, *settle, *profile)
			if err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
			seen[kind] = append(seen[kind], h)
		}
	}
	for _, kind := range []string{"warm", "media"} {
		fmt.Printf("%s, a peer: median, 95th percentile\n", kind)
		for _, f := range []struct {
			name string
			of   func(held) float64
		}{
			{"RSS, kB", func(h held) float64 { return h.RSS }},
			{"of it anonymous, kB", func(h held) float64 { return h.Anonymous }},
			{"live heap, kB", func(h held) float64 { return h.Heap }},
			{"live objects", func(h held) float64 { return h.Objects }},
			{"stacks, kB", func(h held) float64 { return h.Stacks }},
			{"goroutines", func(h held) float64 { return h.Goroutines }},
			{"media lost, %", func(h held) float64 { return h.Lost }},
		} {
			fmt.Printf("  %-20s %8.2f %8.2f\n", f.name, share(seen[kind], 0.5, f.of), share(seen[kind], 0.95, f.of))
		}
	}
	rss, heap := func(h held) float64 { return h.RSS }, func(h held) float64 { return h.Heap }
	return json.NewEncoder(os.Stdout).Encode(struct {
		Bench      string  `json:"bench"`
		N          int     `json:"n"`
		Media      float64 `json:"media_kb"`
		Warm       float64 `json:"warm_kb"`
		HeapMedia  float64 `json:"heap_media_kb"`
		HeapWarm   float64 `json:"heap_warm_kb"`
		Goroutines float64 `json:"goroutines_per_peer"`
	}{
		"idle", *n, share(seen["media"], 0.5, rss), share(seen["warm"], 0.5, rss),
		share(seen["media"], 0.5, heap), share(seen["warm"], 0.5, heap),
		share(seen["media"], 0.5, func(h held) float64 { return h.Goroutines }),
	})
}

// hold starts a server and its peers and compares.
func hold(kind string, n int, settle time.Duration, profile string) (held, error) {
	server, err := start([]int{0}, "server")
	if err != nil {
		return held{}, err
	}
	defer server.stop()
	var at ready
	if err := server.read(&at); err != nil {
		return held{}, err
	}
	// A first call, so that what answers calls does not count as the peers'.
	if err := post(at.Control, "/counts", struct{}{}, new(counts)); err != nil {
		return held{}, err
	}
	empty, err := server.resident()
	if err != nil {
		return held{}, err
	}
	var before memory
	if err := post(at.Control, "/memory", struct{}{}, &before); err != nil {
		return held{}, err
	}
	args := []string{"wait", "-clients", strconv.Itoa(n)}
	if kind == "media" {
		args = []string{"load", "-rooms-of", "2", "-rooms", strconv.Itoa(n / 2)}
	}
	peers, err := start([]int{1}, append(args, "-control", at.Control, "-media", at.Media.String(), "-warm-up", settle.String(), "-window", "1s")...)
	if err != nil {
		return held{}, err
	}
	defer peers.stop()
	if err := peers.input.Close(); err != nil { // a load waits for it
		return held{}, err
	}
	if err := peers.await("begin"); err != nil {
		return held{}, err
	}
	full, err := server.resident()
	if err != nil {
		return held{}, err
	}
	var after memory
	if err := post(at.Control, "/memory", struct{}{}, &after); err != nil {
		return held{}, err
	}
	if profile != "" {
		if err := post(at.Control, "/heap", heapFile{profile + "." + kind}, new(struct{})); err != nil {
			return held{}, err
		}
	}
	if err := peers.await("end"); err != nil {
		return held{}, err
	}
	var saw loaded
	if kind == "media" {
		if err := peers.read(&saw); err != nil {
			return held{}, err
		}
	}
	each := func(before, after uint64) float64 { return (float64(after) - float64(before)) / float64(n) }
	return held{
		RSS:       float64(full.all-empty.all) / float64(n),
		Anonymous: float64(full.anonymous-empty.anonymous) / float64(n),
		Heap:      each(before.Heap, after.Heap) / 1024, Stacks: each(before.Stacks, after.Stacks) / 1024,
		Lost: 100 * saw.Lost, Objects: each(before.Objects, after.Objects), Goroutines: each(before.Goroutines, after.Goroutines),
	}, nil
}

// share returns a quantile of a figure over repetitions, rounded up to a repetition that there was.
func share(hs []held, q float64, of func(held) float64) float64 {
	var xs []float64
	for _, h := range hs {
		xs = append(xs, of(h))
	}
	slices.Sort(xs)
	return float64(int(100*xs[int(q*float64(len(xs)-1)+0.5)])) / 100
}
