package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// point is a load that is put on a target.
type point struct {
	target         string
	roomsOf, rooms int
	cores          []int
	relaxed        bool // the load sleeps while nothing is due
}

// loadCores are the load's: the other core, or both if the target has both.
func (p point) loadCores() []int {
	if len(p.cores) > 1 {
		return p.cores
	}
	return []int{1}
}

// rate is how many packets a second the target is to forward.
func (p point) rate() int { return p.rooms * p.roomsOf * (p.roomsOf - 1) * perSecond }

// result is what one repetition at a point showed.
type result struct {
	loaded
	USPerPacket     float64
	Cores           float64 // of the target, busy
	AllocsPerPacket float64
	LoadCPU         float64
}

// measure is the parent of all roles.
func measure(args []string) error {
	flags := newFlags("forward")
	reps := flags.Int("reps", 3, "repetitions of each point")
	window := flags.Duration("window", 4*time.Second, "how long each repetition measures")
	only := flags.String("only", "", "one point: target:people in a room:rooms, such as server:2:40")
	if err := flags.Parse(args); err != nil {
		return err
	}
	m := measurer{reps: *reps, window: *window}
	if *only != "" {
		return m.single(*only)
	}
	return m.all()
}

type measurer struct {
	reps      int
	window    time.Duration
	disturbed int // repetitions that were made again
}

// single measures one point and prints each repetition whole.
func (m *measurer) single(name string) error {
	p := point{cores: []int{0}}
	if _, err := fmt.Sscanf(strings.ReplaceAll(name, ":", " "), "%s %d %d", &p.target, &p.roomsOf, &p.rooms); err != nil {
		return fmt.Errorf("-only %s: %w", name, err)
	}
	for range m.reps {
		r, err := m.once(p)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
			return err
		}
	}
	return nil
}

// The load was held up by something else on the machine if more of its events than tolerableLate were more than 10 ms late; such a
// repetition says nothing and is made again, a few times.
const (
	tolerableLate = 0.002
	mostAgain     = 4
)

// once runs a fresh target and a fresh load, undisturbed if that can be had.
func (m *measurer) once(p point) (r result, err error) {
	for range 1 + mostAgain {
		if r, err = m.attempt(p); err != nil || r.Late10 <= tolerableLate {
			return r, err
		}
		m.disturbed++
	}
	return r, nil
}

func (m *measurer) attempt(p point) (result, error) {
	target, err := start(p.cores, p.target)
	if err != nil {
		return result{}, err
	}
	defer target.stop()
	var at ready
	if err := target.read(&at); err != nil {
		return result{}, err
	}
	loader, err := start(p.loadCores(), "load", "-spin="+strconv.FormatBool(!p.relaxed), "-target", p.target, "-control", at.Control, "-media", at.Media.String(),
		"-rooms-of", strconv.Itoa(p.roomsOf), "-rooms", strconv.Itoa(p.rooms), "-window", m.window.String())
	if err != nil {
		return result{}, err
	}
	defer loader.stop()
	var cpu, loadCPU, mallocs [2]float64
	var asking float64
	for i, word := range []string{"begin", "end"} {
		if err := loader.await(word); err != nil {
			return result{}, err
		}
		if cpu[i], err = target.cpu(); err != nil {
			return result{}, err
		}
		if loadCPU[i], err = loader.cpu(); err != nil {
			return result{}, err
		}
		if mallocs[i], asking, err = allocations(at.Control); err != nil {
			return result{}, err
		}
	}
	r := result{}
	if err := loader.read(&r.loaded); err != nil {
		return result{}, err
	}
	packets := float64(max(r.Received, 1))
	r.USPerPacket = (cpu[1] - cpu[0]) / packets * 1e6
	r.Cores = (cpu[1] - cpu[0]) / r.Seconds
	r.LoadCPU = (loadCPU[1] - loadCPU[0]) / r.Seconds
	r.AllocsPerPacket = (mallocs[1] - mallocs[0] - 3*asking) / packets
	return r, nil
}

// allocations asks a target three times how many there were, and returns the last answer and by how much it grew from one to the next.
func allocations(control string) (n, asking float64, err error) {
	var answers [3]counts
	for i := range answers {
		if err := post(control, "/counts", struct{}{}, &answers[i]); err != nil {
			return 0, 0, err
		}
	}
	return float64(answers[2].Mallocs), float64(answers[2].Mallocs) - float64(answers[1].Mallocs), nil
}

// row measures a point reps times.
func (m *measurer) row(p point) ([]result, error) {
	var rs []result
	for range m.reps {
		r, err := m.once(p)
		if err != nil {
			return nil, fmt.Errorf("%+v: %w", p, err)
		}
		rs = append(rs, r)
	}
	return rs, nil
}

// median of a figure over repetitions.
func median(rs []result, of func(result) float64) float64 {
	var xs []float64
	for _, r := range rs {
		xs = append(xs, of(r))
	}
	slices.Sort(xs)
	return xs[len(xs)/2]
}
