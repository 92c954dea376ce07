package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
)

// The points at which cost is compared with the floor's: 2,000, 16,000 and 36,000 packets a second in rooms of two.
var compared = []int{5, 40, 90}

const (
	saturationStep = 100   // rooms of two, from one point to the next on the way to saturation
	mostRooms      = 600   // the load's own end
	tolerated      = 0.001 // lost packets
	// Rooms of two that each core of a server has that shares it with its load.
	sharedFirst, sharedStep = 200, 20
)

// summary is the last line.
type summary struct {
	Bench      string             `json:"bench"`
	N          int                `json:"n"`
	RoomsOf    int                `json:"rooms_of"`
	US         float64            `json:"us_per_packet"` // at the rate with the worst ratio
	FloorUS    float64            `json:"floor_us_per_packet"`
	Ratio      float64            `json:"ratio"`
	Max        int                `json:"max_pps_one_core"`
	FloorMax   int                `json:"floor_max_pps_one_core"` // of the rates that the server was tried at
	Delay      map[string]float64 `json:"delay_us"`               // at half of Max
	FloorDelay map[string]float64 `json:"floor_delay_us"`
	Allocs     float64            `json:"allocs_per_packet"`
	TwoCores   float64            `json:"two_cores"` // what two carry, in units of one
}

func (m *measurer) all() error {
	if runtime.NumCPU() < 2 {
		return fmt.Errorf("needs two processors, one for the server and one for the load; has %d", runtime.NumCPU())
	}
	fmt.Printf("Server or floor on core 0, load on core 1; a client sends %d packets a second. Medians of %d runs of %v a row, in turns;\n", perSecond, m.reps, m.window)
	fmt.Printf("of %d at %v rooms of two, whose worst ratio counts.\n", 2*m.reps, compared)
	fmt.Printf("CPU is the scheduler's of the whole process. Delay is from before the load sends to after it receives. The load is not the\n")
	fmt.Printf("bottleneck while it is busy less than all the time and its events are not late.\n\n")
	fmt.Printf("%-16s %9s %9s %7s %9s %9s %8s %9s %9s %8s\n",
		"", "packets/s", "us/packet", "cores", "lost", "p50 us", "p99 us", "allocs", "load busy", "late p99")
	s := summary{Bench: "forward", N: m.reps, RoomsOf: 2}
	if err := m.compare(&s); err != nil {
		return err
	}
	for _, size := range []struct{ roomsOf, rooms int }{{3, 30}, {12, 3}} {
		if _, _, err := m.pair(size.roomsOf, size.rooms, m.reps); err != nil {
			return err
		}
	}
	if err := m.saturate(&s); err != nil {
		return err
	}
	if err := m.twoCores(&s); err != nil {
		return err
	}
	fmt.Printf("\n%d repetitions were disturbed and made again\n", m.disturbed)
	return json.NewEncoder(os.Stdout).Encode(s)
}

// compare finds the worst ratio.
func (m *measurer) compare(s *summary) error {
	for _, rooms := range append([]int{1}, compared...) {
		server, floor, err := m.pair(2, rooms, 2*m.reps)
		if err != nil {
			return err
		}
		cost := func(r result) float64 { return r.USPerPacket }
		us, floorUS := median(server, cost), median(floor, cost)
		if ratio := us / floorUS; rooms != 1 && ratio > s.Ratio {
			s.Ratio, s.US, s.FloorUS = round(ratio), round(us), round(floorUS)
		}
		if rooms != 1 { // there the bench's own questions are more than the packets
			s.Allocs = max(s.Allocs, round(median(server, func(r result) float64 { return r.AllocsPerPacket })))
		}
	}
	return nil
}

// pair measures server and floor in turns.
func (m *measurer) pair(roomsOf, rooms, reps int) (server, floor []result, err error) {
	for range reps {
		for target, rs := range map[string]*[]result{"server": &server, "floor": &floor} {
			r, err := m.once(point{target: target, roomsOf: roomsOf, rooms: rooms, cores: []int{0}})
			if err != nil {
				return nil, nil, err
			}
			*rs = append(*rs, r)
		}
	}
	printRow(fmt.Sprintf("server %dx%d", roomsOf, rooms), server)
	printRow(fmt.Sprintf("floor  %dx%d", roomsOf, rooms), floor)
	return server, floor, nil
}

// saturate finds what one core carries, and the delay at half of that.
func (m *measurer) saturate(s *summary) error {
	carried := func(rs []result) bool { return median(rs, func(r result) float64 { return r.Lost }) < tolerated }
	for rooms := 200; rooms <= mostRooms; rooms += saturationStep {
		server, floor, err := m.pair(2, rooms, m.reps)
		if err != nil {
			return err
		}
		rate := point{roomsOf: 2, rooms: rooms}.rate()
		if carried(floor) {
			s.FloorMax = rate
		}
		if !carried(server) {
			break
		}
		s.Max = rate
	}
	half := s.Max / 2 / (2 * perSecond)
	server, floor, err := m.pair(2, half, m.reps)
	if err != nil {
		return err
	}
	s.Delay, s.FloorDelay = delays(server), delays(floor)
	return nil
}

func delays(rs []result) map[string]float64 {
	return map[string]float64{
		"p50": round(median(rs, func(r result) float64 { return r.DelayP50 })),
		"p99": round(median(rs, func(r result) float64 { return r.DelayP99 })),
	}
}

// twoCores compares what one core carries with what two do. The machine has no third core for the load, which therefore has a share of
// each of the server's: a load a core, which sleeps while nothing is due. What is compared is what server and load carry together.
func (m *measurer) twoCores(s *summary) error {
	var carried [2]int
	for i, cores := range [][]int{{0}, {0, 1}} {
		for rooms := sharedFirst * len(cores); ; rooms += sharedStep * len(cores) {
			p := point{target: "server", roomsOf: 2, rooms: rooms, cores: cores, relaxed: true}
			var rs []result
			for range m.reps {
				r, err := m.attempt(p) // near saturation the load is late, since it shares
				if err != nil {
					return err
				}
				rs = append(rs, r)
			}
			printRow(fmt.Sprintf("%d with load 2x%d", len(cores), rooms), rs)
			if median(rs, func(r result) float64 { return r.Lost }) >= tolerated ||
				median(rs, func(r result) float64 { return float64(r.Received) / r.Seconds }) < (1-tolerated)*float64(p.rate()) {
				break
			}
			carried[i] = p.rate()
		}
	}
	if carried[0] == 0 {
		return errors.New("one core does not carry the first rate")
	}
	s.TwoCores = round(float64(carried[1]) / float64(carried[0]))
	return nil
}

func printRow(name string, rs []result) {
	of := func(f func(result) float64) float64 { return median(rs, f) }
	fmt.Printf("%-16s %9.0f %9.2f %7.2f %8.3f%% %9.0f %8.0f %9.2f %8.0f%% %8.0f\n", name,
		of(func(r result) float64 { return float64(r.Received) / r.Seconds }), of(func(r result) float64 { return r.USPerPacket }),
		of(func(r result) float64 { return r.Cores }), 100*of(func(r result) float64 { return r.Lost }),
		of(func(r result) float64 { return r.DelayP50 }), of(func(r result) float64 { return r.DelayP99 }),
		of(func(r result) float64 { return r.AllocsPerPacket }), 100*of(func(r result) float64 { return r.Busy }),
		of(func(r result) float64 { return r.LateP99 }))
}

func round(x float64) float64 { return float64(int64(x*100+0.5)) / 100 }
