package sfu

import "encoding/binary"

// arrivalWindow is how many transport-wide numbers are kept: more than a second's of any client. Older ones count as lost.
const arrivalWindow = 512

const (
	microsPerTick  = 250       // of deltas
	referenceTicks = 64 * 4    // of the reference time, which counts 64 ms
	maxDelta       = 1<<15 - 1 // of a large delta, in ticks
	maxSmallDelta  = 1<<8 - 1  // of a small one
	runLength      = 7         // statuses from which a run tells more than a vector
)

// arrivals notes when a publisher's packets came, by the transport-wide number that each carries, and tells the
// publisher, whose estimate of its bandwidth needs it (draft-holmer-rmcat-transport-wide-cc-extensions-01). The zero value is ready.
type arrivals struct {
	began  bool
	next   int64 // the first number of the next feedback
	newest int64
	ticks  [arrivalWindow]int64 // by number: arrival plus one, in ticks; 0: did not come
	count  uint8                // of feedback packets
}

// note takes a packet's number and arrival, in µs of a clock that begins at 0.
func (a *arrivals) note(seq uint16, micros int64) {
	number := unwrap(seq, a.newest)
	switch {
	case !a.began:
		*a = arrivals{began: true, next: number, newest: number, count: a.count}
	case number > a.newest:
		for n := max(a.newest+1, number-arrivalWindow); n < number; n++ {
			*a.at(n) = 0
		}
		a.newest = number
	case number <= a.newest-arrivalWindow || *a.at(number) != 0:
		return // too late, or again
	default:
		a.next = min(a.next, number) // it counts as lost; say that it came
	}
	*a.at(number) = micros/microsPerTick + 1
}

func (a *arrivals) at(number int64) *int64 { return &a.ticks[uint64(number)%arrivalWindow] }

// feedback appends one RTCP packet about what came since the last, to be called until it appends nothing. Its size is below maxCompound.
func (a *arrivals) feedback(b []byte, sender, media uint32) []byte {
	a.next = max(a.next, a.newest-arrivalWindow+1)
	for a.next <= a.newest && *a.at(a.next) == 0 {
		a.next++
	}
	if !a.began || a.next > a.newest {
		return b
	}
	base := a.next
	reference := (*a.at(base) - 1) / referenceTicks
	var told report
	a.tell(&told, reference)
	a.next = base + int64(told.n)

	start := len(b)
	b = append(b, 0x80|15, 205, 0, 0) // transport-wide feedback (RFC 4585 section 6.1); the length comes last
	b = binary.BigEndian.AppendUint32(b, sender)
	b = binary.BigEndian.AppendUint32(b, media)
	b = binary.BigEndian.AppendUint16(b, uint16(base))
	b = binary.BigEndian.AppendUint16(b, uint16(told.n))
	b = binary.BigEndian.AppendUint32(b, uint32(reference)<<8|uint32(a.count))
	a.count++
	b = appendChunks(b, told.statuses[:told.n])
	b = append(b, told.deltas[:told.size]...)
	if padding := -(len(b) - start) & 3; padding > 0 {
		b = append(b, 0, 0, 0)[:len(b)+padding]
		b[len(b)-1] = uint8(padding)
		b[start] |= 0x20
	}
	binary.BigEndian.PutUint16(b[start+2:], uint16((len(b)-start)/4-1))
	return b
}

// Packet statuses.
const (
	notReceived = iota
	smallDelta
	largeDelta
)

// report is what one feedback packet tells.
type report struct {
	statuses [arrivalWindow]uint8
	n        int
	deltas   [2 * arrivalWindow]byte
	size     int
}

// tell fills r with what came from a.next on, as far as deltas reach.
func (a *arrivals) tell(r *report, reference int64) {
	last := reference * referenceTicks
	for number := a.next; number <= a.newest; number++ {
		at := *a.at(number) - 1
		delta := at - last
		switch {
		case at < 0:
			r.statuses[r.n] = notReceived
		case delta >= 0 && delta <= maxSmallDelta:
			r.statuses[r.n] = smallDelta
			r.deltas[r.size] = uint8(delta)
			r.size++
			last = at
		case delta >= -maxDelta && delta <= maxDelta:
			r.statuses[r.n] = largeDelta
			binary.BigEndian.PutUint16(r.deltas[r.size:], uint16(delta))
			r.size += 2
			last = at
		default:
			return
		}
		r.n++
	}
}

// appendChunks writes statuses as runs and vectors (sections 3.1.3 and 3.1.4).
func appendChunks(b []byte, statuses []uint8) []byte {
	for len(statuses) > 0 {
		run := 1
		for run < len(statuses) && statuses[run] == statuses[0] {
			run++
		}
		var chunk uint16
		n := run
		if run >= runLength || run == len(statuses) {
			chunk = uint16(statuses[0])<<13 | uint16(run)
		} else {
			chunk, n = vector(statuses)
		}
		b = binary.BigEndian.AppendUint16(b, chunk)
		statuses = statuses[n:]
	}
	return b
}

// vector returns a chunk of up to 14 statuses of one bit each, or up to 7 of two, and how many it tells.
func vector(statuses []uint8) (chunk uint16, n int) {
	const oneBit, twoBits = 14, 7
	for n < min(oneBit, len(statuses)) && statuses[n] != largeDelta {
		chunk |= uint16(statuses[n]) << (oneBit - 1 - n)
		n++
	}
	if n == min(oneBit, len(statuses)) {
		return 0x8000 | chunk, n
	}
	chunk, n = 0xc000, 0
	for n < min(twoBits, len(statuses)) {
		chunk |= uint16(statuses[n]) << (2 * (twoBits - 1 - n))
		n++
	}
	return chunk, n
}
