package sfu

// Bounds of RFC 3550 appendix A.1: a jump of more than maxDropout forwards or maxMisorder back is
// believed only if the next packet follows it.
const (
	maxDropout  = 3000
	maxMisorder = 1000 // more than the RFC's 100, for retransmissions
)

// verdict is what a receiver says of a packet.
type verdict uint8

const (
	usual     verdict = iota
	restarted         // the sender's numbering began anew here
	suspect           // a jump that the next packet must confirm
)

// receiver numbers a source's packets without wrapping and counts for receiver reports
// (RFC 3550 sections 6.4.1 and A.3, A.8). Numbers grow over restarts too.
type receiver struct {
	running  bool
	newest   int64
	awaited  int64 // after a suspect jump: the sequence number that confirms it; else -1
	base     int64 // first number of this run
	received int64 // packets of this run, retransmissions not counted
	// At the last report:
	expectedThen, receivedThen int64

	transit int32 // of the last packet: arrival minus timestamp, in clock ticks
	jitter  int64 // in clock ticks, times 16
}

// restart makes the next packet begin a run.
func (r *receiver) restart() { r.running = false }

// receive takes the packet seq, whose timestamp is ts and which came at arrival (both in clock ticks),
// and returns its unwrapped number.
func (r *receiver) receive(seq uint16, ts, arrival uint32) (int64, verdict) {
	v := usual
	number, near := r.locate(seq)
	if !near {
		if r.running && int64(seq) != r.awaited {
			r.awaited = int64(seq + 1)
			return 0, suspect
		}
		number, v = r.begin(seq), restarted
	}
	r.awaited = -1
	r.base = min(r.base, number)
	r.received++
	r.measure(int32(arrival-ts), v == restarted)
	return number, v
}

// begin starts a run two cycles on, so that numbers grow and those of late packets stay apart from
// the last run's.
func (r *receiver) begin(seq uint16) int64 {
	number := (r.newest>>16+2)<<16 | int64(seq)
	*r = receiver{running: true, newest: number - 1, base: number}
	return number
}

// locate returns the number of the packet seq; false unless it is near the newest one.
func (r *receiver) locate(seq uint16) (int64, bool) {
	number := unwrap(seq, r.newest)
	d := number - r.newest
	return number, r.running && d <= maxDropout && d >= -maxMisorder
}

// advance reports whether number is the newest so far.
func (r *receiver) advance(number int64) bool {
	if number <= r.newest {
		return false
	}
	r.newest = number
	return true
}

// measure follows the interarrival jitter (RFC 3550 section A.8).
func (r *receiver) measure(transit int32, first bool) {
	if !first {
		d := int64(transit - r.transit)
		r.jitter += max(d, -d) - (r.jitter+8)>>4
	}
	r.transit = transit
}

// counts are what a receiver report says of a source.
type counts struct {
	fractionLost uint8  // of 256, since the last report
	lost         uint32 // in all, 24 bits
	highest      uint32
	jitter       uint32
}

// report returns the counts and begins the next interval; false before the first packet.
func (r *receiver) report() (counts, bool) {
	if !r.running {
		return counts{}, false
	}
	expected := r.newest - r.base + 1
	interval, got := expected-r.expectedThen, r.received-r.receivedThen
	r.expectedThen, r.receivedThen = expected, r.received
	c := counts{highest: uint32(r.newest), jitter: uint32(r.jitter >> 4)}
	if lost := interval - got; lost > 0 {
		c.fractionLost = uint8(min(lost<<8/interval, 255))
	}
	c.lost = uint32(min(r.lost(), 1<<23-1))
	return c, true
}

// lost returns how many packets of this run never came by themselves.
func (r *receiver) lost() int64 {
	if !r.running {
		return 0
	}
	return max(r.newest-r.base+1-r.received, 0)
}

// unwrap returns the number congruent to seq that is nearest to reference.
func unwrap(seq uint16, reference int64) int64 {
	return reference + int64(int16(seq-uint16(reference)))
}
