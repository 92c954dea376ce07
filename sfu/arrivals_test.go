package sfu

import (
	"testing"

	"github.com/pion/rtcp"
	"pgregory.net/rapid"
)

// decode reads a feedback as a publisher does: the number and the arrival, in ticks, of each packet that came.
func decode(t fataler, b []byte) (base uint16, came map[uint16]int64, count int) {
	t.Helper()
	var f rtcp.TransportLayerCC
	if err := f.Unmarshal(b); err != nil {
		t.Fatal(err)
	}
	var statuses []uint16
	for _, c := range f.PacketChunks {
		switch c := c.(type) {
		case *rtcp.RunLengthChunk:
			for range c.RunLength {
				statuses = append(statuses, c.PacketStatusSymbol)
			}
		case *rtcp.StatusVectorChunk:
			statuses = append(statuses, c.SymbolList...)
		}
	}
	at := int64(f.ReferenceTime) * referenceTicks
	came = map[uint16]int64{}
	for i, s := range statuses[:f.PacketStatusCount] {
		if s == rtcp.TypeTCCPacketNotReceived {
			continue
		}
		at += f.RecvDeltas[0].Delta / microsPerTick
		f.RecvDeltas = f.RecvDeltas[1:]
		came[f.BaseSequenceNumber+uint16(i)] = at
	}
	if f.SenderSSRC != 1 || f.MediaSSRC != 2 || len(f.RecvDeltas) > 0 {
		t.Fatal("ssrcs or deltas", f.SenderSSRC, f.MediaSSRC, len(f.RecvDeltas))
	}
	return f.BaseSequenceNumber, came, int(f.PacketStatusCount)
}

// Whatever order, loss, repeats and pauses, each packet that came within the window is told of, with its time, and
// nothing else is.
func TestArrivals_TellWhatCame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a arrivals
		seq := rapid.Uint16().Draw(t, "first")
		now := int64(rapid.Uint32().Draw(t, "now"))
		first := map[uint16]int64{} // of each packet since the window began
		told := map[uint16]int64{}
		var newest uint16
		var feedbacks uint8
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			for range rapid.IntRange(0, 40).Draw(t, "packets") {
				now += int64(rapid.OneOf(rapid.IntRange(0, 5000), rapid.IntRange(0, 20_000_000)).Draw(t, "micros"))
				seq += uint16(rapid.SampledFrom([]int{1, 1, 1, 1, 2, 9, 30, -1, -2, 0}).Draw(t, "step"))
				a.note(seq, now)
				if _, again := first[seq]; !again {
					first[seq] = now / microsPerTick
				}
				if len(first) == 1 || int16(seq-newest) > 0 {
					newest = seq
				}
			}
			for {
				b := a.feedback(nil, 1, 2)
				if len(b) == 0 {
					break
				}
				if len(b) > maxCompound || len(b)%4 != 0 {
					t.Fatalf("%d bytes", len(b))
				}
				if b[19] != feedbacks {
					t.Fatalf("feedback %d is counted as %d", feedbacks, b[19])
				}
				feedbacks++
				_, came, _ := decode(t, b)
				for number, at := range came {
					if want, ok := first[number]; !ok || at&0xffffff_ff != want&0xffffff_ff {
						t.Fatalf("packet %d came at %d, told as %d", number, want, at)
					}
					told[number] = at
				}
			}
		}
		for number := range first {
			if _, ok := told[number]; !ok && newest-number < arrivalWindow/2 {
				t.Fatalf("packet %d was not told of; newest %d", number, newest)
			}
		}
	})
}

func TestArrivals_AllocateNothing(t *testing.T) {
	var a arrivals
	var seq uint16
	buf := make([]byte, 0, maxCompound)
	n := testing.AllocsPerRun(100, func() {
		for range 20 {
			seq++
			a.note(seq, int64(seq)*5000)
		}
		if len(a.feedback(buf, 1, 2)) == 0 {
			t.Fatal("nothing to tell")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestArrivals_NothingNew_NothingToTell(t *testing.T) {
	var a arrivals
	if b := a.feedback(nil, 1, 2); len(b) != 0 {
		t.Error("told of nothing")
	}
	a.note(7, 1000)
	a.feedback(nil, 1, 2)
	a.note(7, 2000)
	if b := a.feedback(nil, 1, 2); len(b) != 0 {
		t.Error("told of a repeat")
	}
}
