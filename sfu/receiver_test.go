package sfu

import (
	"testing"

	"pgregory.net/rapid"
)

func (r *receiver) take(seq uint16) (int64, verdict) {
	n, v := r.receive(seq, 0, 0)
	if v != suspect {
		r.advance(n)
	}
	return n, v
}

func TestReceiver_NumbersFollowTheSequenceThroughWraps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r receiver
		at := rapid.Uint16().Draw(t, "first")
		first, v := r.take(at)
		if v != restarted {
			t.Fatal("the first packet did not begin a run")
		}
		offset := int64(0)
		for range 100 {
			step := rapid.Int64Range(-50, 2000).Draw(t, "step")
			offset = max(offset+step, 0)
			n, v := r.take(at + uint16(offset))
			if v != usual || n-first != offset {
				t.Fatalf("packet %d after the first got %d, %v", offset, n-first, v)
			}
			offset = r.newest - first
		}
	})
}

func TestReceiver_AJumpNeedsASecondPacket(t *testing.T) {
	var r receiver
	before, _ := r.take(100)
	if _, v := r.take(30000); v != suspect {
		t.Fatal("one stray packet was believed")
	}
	if n, v := r.take(101); v != usual || n != before+1 {
		t.Fatal("the stray packet broke the run")
	}
	r.take(40000)
	n, v := r.take(40001)
	if v != restarted || n <= before+1 {
		t.Fatalf("the new run begins at %d, %v", n-before, v)
	}
	if _, near := r.locate(101); near {
		t.Fatal("the old run's packets still have places")
	}
}

func TestReceiver_ReportCountsWhatIsMissing(t *testing.T) {
	var r receiver
	for seq := uint16(0); seq < 100; seq++ {
		if seq%4 != 3 {
			r.take(seq)
		}
	}
	r.take(100)
	c, ok := r.report()
	if !ok || c.lost != 25 || c.fractionLost != 25*256/101 || uint16(c.highest) != 100 {
		t.Fatalf("report %+v", c)
	}
	for seq := uint16(101); seq < 201; seq++ {
		r.take(seq)
	}
	if c, _ := r.report(); c.lost != 25 || c.fractionLost != 0 {
		t.Fatalf("second report %+v", c)
	}
	var none receiver
	if _, ok := none.report(); ok {
		t.Error("a report before the first packet")
	}
}

func TestReceiver_JitterIsThatOfTheRFC(t *testing.T) {
	var r receiver
	arrival, jitter := uint32(5000), 0.0
	for i := range 200 {
		d := uint32(i % 2 * 160) // every second packet 160 ticks late: all differences are 160
		r.receive(uint16(i), uint32(i)*960, arrival+uint32(i)*960+d)
		if i > 0 {
			jitter += (160 - jitter) / 16
		}
	}
	if got := float64(r.jitter >> 4); got < jitter-2 || got > jitter+2 {
		t.Fatalf("jitter %v, want %v", got, jitter)
	}
}
