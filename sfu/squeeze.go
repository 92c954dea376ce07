package sfu

// squeeze renumbers packets so that dropped ones leave no gap. Packets around a drop may come late:
// the last drops are remembered one by one, so that every packet gets the same number whenever it comes.
type squeeze struct {
	folded int64 // drops before the recent ones
	floor  int64 // the newest of those; what is older has no number any more
	n      int
	recent [64]int64 // numbers dropped, oldest first
}

// drop takes a number out of the sequence. Numbers come in rising order, each newer than all that
// number was asked for.
func (q *squeeze) drop(seq int64) {
	if q.n == len(q.recent) {
		q.floor = q.recent[0]
		q.folded++
		copy(q.recent[:], q.recent[1:])
		q.n--
	}
	q.recent[q.n] = seq
	q.n++
}

// number returns seq's place in the sequence without the dropped ones; false if it is older than the
// drops that are remembered, or dropped itself.
func (q *squeeze) number(seq int64) (int64, bool) {
	if q.folded > 0 && seq <= q.floor {
		return 0, false
	}
	i := q.n
	for i > 0 && q.recent[i-1] > seq {
		i--
	}
	if i > 0 && q.recent[i-1] == seq {
		return 0, false
	}
	return seq - q.folded - int64(i), true
}
