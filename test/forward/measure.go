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
	relaxed        bool // the load sleeps while nothing is due, and shares the target's cores
}

// loadCores are the load's: the other core, or the target's own.
func (p point) loadCores() []int {
	if p.relaxed {
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
	only := flags.String("only", "", "one point: target:people in a room:rooms, such as server:2:40; or two-cores")
	if err := flags.Parse(args); err != nil {
		return err
	}
	m := measurer{reps: *reps, window: *window}
	switch *only {
	case "":
		return m.all()
	case "two-cores":
		return m.twoCores(&summary{})
	default:
		return m.single(*only)
	}
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
	loads, err := m.startLoads(p, at)
	defer func() {
		for _, l := range loads {
			l.stop()
		}
	}()
	if err != nil {
		return result{}, err
	}
	var cpu, loadCPU, mallocs [2]float64
	var asking float64
	for i, word := range []string{"begin", "end"} {
		for _, l := range loads {
			if err := l.await(word); err != nil {
				return result{}, err
			}
			used, err := l.cpu()
			if err != nil {
				return result{}, err
			}
			loadCPU[i] += used
		}
		if cpu[i], err = target.cpu(); err != nil {
			return result{}, err
		}
		if mallocs[i], asking, err = allocations(at.Control); err != nil {
			return result{}, err
		}
	}
	r := result{}
	for _, l := range loads {
		var seen loaded
		if err := l.read(&seen); err != nil {
			return result{}, err
		}
		r.add(seen)
	}
	packets := float64(max(r.Received, 1))
	r.USPerPacket = (cpu[1] - cpu[0]) / packets * 1e6
	r.Cores = (cpu[1] - cpu[0]) / r.Seconds
	r.LoadCPU = (loadCPU[1] - loadCPU[0]) / r.Seconds
	r.AllocsPerPacket = (mallocs[1] - mallocs[0] - 3*asking) / packets
	return r, nil
}

// startLoads starts a load on each of the load's cores, with an equal share of the rooms, one after the other, and lets them begin
// together. It returns those that were started even with an error.
func (m *measurer) startLoads(p point, at ready) ([]*process, error) {
	var loads []*process
	cores := p.loadCores()
	rooms := p.rooms / len(cores)
	for i, core := range cores {
		l, err := start([]int{core}, "load", "-spin="+strconv.FormatBool(!p.relaxed), "-target", p.target, "-control", at.Control, "-media", at.Media.String(),
			"-rooms-of", strconv.Itoa(p.roomsOf), "-rooms", strconv.Itoa(rooms), "-first", strconv.Itoa(i*rooms*p.roomsOf), "-window", m.window.String())
		if err != nil {
			return loads, err
		}
		loads = append(loads, l)
		if err := l.await("seated"); err != nil {
			return loads, err
		}
	}
	for _, l := range loads {
		if err := l.input.Close(); err != nil {
			return loads, err
		}
	}
	return loads, nil
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

// median of a figure over repetitions.
func median(rs []result, of func(result) float64) float64 {
	var xs []float64
	for _, r := range rs {
		xs = append(xs, of(r))
	}
	slices.Sort(xs)
	return xs[len(xs)/2]
}
