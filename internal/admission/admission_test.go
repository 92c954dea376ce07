package admission

import (
	"testing"
	"time"
)

// source is a load that tests set: counters grow by what a second brings.
type source struct {
	gate *Gate
	now  time.Time
	load Load
}

func (s *source) second(cpu float64, packets uint64) {
	s.now = s.now.Add(Every)
	s.load.CPU += time.Duration(cpu * float64(time.Second))
	s.load.Packets += packets
	s.gate.Observe(s.now, s.load)
}

func (s *source) seconds(n int, cpu float64, packets uint64) {
	for range n {
		s.second(cpu, packets)
	}
}

func newSource(b Bounds, processors int) *source {
	s := &source{gate: New(b, processors), now: time.Unix(1000, 0)}
	s.gate.Observe(s.now, s.load)
	return s
}

func (s *source) admits() bool {
	_, ok := s.gate.Admit(true)
	return ok
}

func TestGate_OfCPU_ShutsAtTheBoundAndOpensWellBelow(t *testing.T) {
	s := newSource(Bounds{CPU: 0.8}, 4)
	s.seconds(10, 2.9, 0) // of 4 processors: 0.725
	if !s.admits() {
		t.Error("shut below the bound")
	}
	s.seconds(1, 4, 0)
	if !s.admits() {
		t.Errorf("shut by one second's burst at %v", s.gate.Use().CPU)
	}
	s.seconds(5, 3.3, 0)
	if s.admits() {
		t.Errorf("open at %v", s.gate.Use().CPU)
	}
	s.seconds(20, 3.0, 0) // 0.75: below the bound, and not by a tenth of it
	if s.admits() {
		t.Errorf("opens again at %v", s.gate.Use().CPU)
	}
	s.seconds(5, 2.8, 0)
	if !s.admits() {
		t.Errorf("still shut at %v", s.gate.Use().CPU)
	}
	if n := s.gate.Refused(CPU); n != 2 {
		t.Errorf("%d were refused", n)
	}
}

func TestGate_OfPackets(t *testing.T) {
	s := newSource(Bounds{Packets: 10_000}, 1)
	s.seconds(5, 0, 9_999)
	if !s.admits() {
		t.Error("shut below the bound")
	}
	s.seconds(5, 0, 10_000)
	if s.admits() || s.gate.Refused(Packets) != 1 || s.gate.Refused(CPU) != 0 {
		t.Errorf("open at %v", s.gate.Use().Packets)
	}
	s.seconds(5, 0, 8_000)
	if !s.admits() {
		t.Error("still shut")
	}
}

func TestGate_OfPeers_CountsThoseWhoCameSinceTheLastLook(t *testing.T) {
	s := newSource(Bounds{Peers: 20}, 1)
	s.load.Peers = 18
	s.second(0, 0)
	for range 2 {
		if _, ok := s.gate.Admit(true); !ok {
			t.Error("shut below the bound")
		}
	}
	again, ok := s.gate.Admit(true)
	if ok || again < leastWait*time.Second || again > (leastWait+waitSpread)*time.Second {
		t.Errorf("%t, again after %v", ok, again)
	}
	if _, ok := s.gate.Admit(false); !ok {
		t.Error("what needs no connection is refused for them")
	}
	s.load.Peers = 18
	s.second(0, 0)
	if s.admits() {
		t.Error("opens at once")
	}
	s.load.Peers = 17
	s.second(0, 0)
	if !s.admits() {
		t.Error("still shut")
	}
	if n := s.gate.Refused(Peers); n != 2 {
		t.Errorf("%d were refused", n)
	}
}

func TestGate_WithoutBoundsIsOpen(t *testing.T) {
	s := newSource(Bounds{}, 1)
	s.load.Peers = 1_000_000
	s.seconds(10, 1, 1_000_000)
	if !s.admits() {
		t.Error("shut")
	}
}

func TestGate_OneBoundShutsForAll(t *testing.T) {
	s := newSource(Bounds{Peers: 10, CPU: 0.5, Packets: 100}, 1)
	s.seconds(5, 0.6, 200)
	s.seconds(6, 0.1, 200)
	if s.admits() || s.gate.Refused(Packets) != 1 || s.gate.Refused(CPU) != 0 {
		t.Error("open, or by the wrong reason")
	}
}

func TestGate_TenMinutesWithoutALook_AreNoLoad_AndNotForgiven(t *testing.T) {
	s := newSource(Bounds{CPU: 0.8, Packets: 1000}, 1)
	s.seconds(10, 0.5, 500)
	s.now = s.now.Add(10 * time.Minute) // the process was stopped, and its clock went on
	s.second(1, 5000)                   // what had queued
	if !s.admits() {
		t.Errorf("shut by one second's work at %+v", s.gate.Use())
	}
	s.seconds(6, 0.9, 1000)
	if s.admits() {
		t.Errorf("open at %+v", s.gate.Use())
	}
}

func TestProcessorTime_Grows(t *testing.T) {
	before := ProcessorTime()
	for n := 0; ProcessorTime() == before; n++ {
		if n > 100_000_000 {
			t.Fatal("it stands still")
		}
	}
}
