package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"strings"

	"github.com/anteroom/anteroom/sfu"
)

// memory is what a server knows of what it holds, after a collection.
type memory struct {
	Peers      int    `json:"peers"`
	Routes     int    `json:"routes"`
	Heap       uint64 `json:"heap"`    // live bytes
	Objects    uint64 `json:"objects"` // live
	Stacks     uint64 `json:"stacks"`  // bytes
	Goroutines uint64 `json:"goroutines"`
}

// heapFile says where to write a heap profile; GODEBUG=memprofilerate=1 makes it exact.
type heapFile struct {
	Path string `json:"path"`
}

// answerMemory lets the parent ask for what the process holds.
func answerMemory(mux *http.ServeMux, forwarder *sfu.SFU) {
	handle(mux, "/memory", func(struct{}) (memory, error) {
		m, total := liveMemory(), forwarder.Stats()
		m.Peers, m.Routes = total.Peers, total.Routes
		return m, nil
	})
	handle(mux, "/heap", func(in heapFile) (struct{}, error) {
		file, err := os.Create(in.Path)
		if err != nil {
			return struct{}{}, err
		}
		defer file.Close()
		runtime.GC()
		return struct{}{}, pprof.Lookup("heap").WriteTo(file, 0)
	})
}

// liveMemory collects twice, since a sync.Pool gives up what it keeps at the second collection.
func liveMemory() memory {
	runtime.GC()
	runtime.GC()
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/gc/heap/objects:objects"},
		{Name: "/memory/classes/heap/stacks:bytes"},
		{Name: "/sched/goroutines:goroutines"},
	}
	metrics.Read(samples)
	value := func(i int) uint64 { return samples[i].Value.Uint64() }
	return memory{Heap: value(0), Objects: value(1), Stacks: value(2), Goroutines: value(3)}
}

// resident is what a process has in the machine's memory, in kB.
type resident struct{ all, anonymous int }

// resident reads the kernel's accounting; the rest beside anonymous memory is the program's own file.
func (p *process) resident() (resident, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", p.cmd.Process.Pid))
	if err != nil {
		return resident{}, err
	}
	defer file.Close()
	var r resident
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		switch name {
		case "Rss":
			_, err = fmt.Sscan(value, &r.all)
		case "Anonymous":
			_, err = fmt.Sscan(value, &r.anonymous)
		}
		if err != nil {
			return resident{}, err
		}
	}
	return r, nil
}
