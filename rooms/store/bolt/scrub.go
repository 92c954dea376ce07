package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"time"

	"go.etcd.io/bbolt"
)

const (
	// scrubEvery is how long what was erased or replaced can be read in the file, while nobody reads the state before.
	scrubEvery = 10 * time.Second
	scrubRun   = 64   // pages read and written at a time
	scrubTurn  = 1024 // pages looked at before whoever waits to write has their turn
	scrubAtEnd = 16   // turns before the file is closed
)

var (
	errBeingRead = errors.New("bolt: somebody reads an older state")
	errLayout    = errors.New("bolt: the file is not laid out as is known")
)

// scrubber writes zeros over the pages that the file does not use. bbolt writes a changed page elsewhere and leaves the old one as it
// was until it is used again; without this, what was erased could be read from the file for a long time.
//
// It belongs to the writer, who alone takes pages into use. What is free in the newest durable state is nobody's: readers may have
// older states, but then bbolt counts the pages of these as pending, and nothing is written over until it counts none.
type scrubber struct {
	file  *bbolt.DB
	raw   *os.File // the same, as bbolt has it open
	every time.Duration

	timer   *time.Timer // for the next turn
	set     bool        // the timer is
	wrote   bool        // something was written since the last pass began
	durable bool        // what is newest is known to be on disk; not so of what another process has written
	next    uint64      // page at which the pass under way goes on; 0: there is none
	buffer  []byte
}

func newScrubber(file *bbolt.DB, raw *os.File, every time.Duration) *scrubber {
	if every == 0 {
		every = scrubEvery
	}
	return &scrubber{file: file, raw: raw, every: every, timer: time.NewTimer(every), set: true} // for what was left before
}

// written notes the end of a transaction.
func (s *scrubber) written(err error) {
	s.durable = err == nil
	s.wrote = true
	s.wake(s.every)
}

func (s *scrubber) wake(in time.Duration) {
	if !s.set {
		s.timer.Reset(in)
		s.set = true
	}
}

// turn is called when the timer says so. What fails is tried again: a full or broken disk shows in everything else.
func (s *scrubber) turn() {
	s.set = false
	switch more, err := s.scrub(); {
	case more:
		s.wake(0)
	case err != nil || s.wrote:
		s.wake(s.every)
	}
}

// finish scrubs what was written last, within bounds; what is left is the next Open's.
func (s *scrubber) finish() {
	s.timer.Stop()
	for range scrubAtEnd {
		if !s.durable || !s.wrote && s.next == 0 {
			return
		}
		if _, err := s.scrub(); err != nil {
			return
		}
	}
}

// scrub goes on with a pass over the file, or begins one, for at most scrubTurn pages. It reports whether there are more.
func (s *scrubber) scrub() (more bool, err error) {
	if s.next == 0 {
		s.next, s.wrote = 1, false
	}
	wiped := false
	defer func() {
		if wiped {
			err = errors.Join(err, s.raw.Sync())
		}
		if err != nil {
			s.wrote = true
		}
		if err != nil || !more {
			s.next, s.buffer = 0, nil
		}
	}()
	unused, err := s.unused()
	if err != nil {
		return false, err
	}
	left := uint64(scrubTurn)
	for _, u := range unused {
		for at := max(u.from, s.next); at < u.to; at = s.next {
			n := min(u.to-at, scrubRun)
			if n > left {
				return true, nil
			}
			left -= n
			dirty, err := s.wipe(at, n)
			if err != nil {
				return false, err
			}
			if dirty && !s.durable {
				return s.settle()
			}
			wiped = wiped || dirty
			s.next = at + n
		}
	}
	return false, nil
}

// settle makes the newest state durable, by a transaction of nothing. What is unused has changed then, and the pass begins anew.
func (s *scrubber) settle() (more bool, err error) {
	if err := s.file.Update(func(*bbolt.Tx) error { return nil }); err != nil {
		return false, err
	}
	s.durable, s.next = true, 1
	return true, nil
}

// wipe writes zeros over pages unless they are zero. As long as the newest state may not be on disk, it only looks.
func (s *scrubber) wipe(at, n uint64) (dirty bool, err error) {
	size := uint64(s.file.Info().PageSize) //nolint:gosec // not negative
	if s.buffer == nil {
		s.buffer = make([]byte, scrubRun*size)
	}
	b, offset := s.buffer[:n*size], int64(at*size) //nolint:gosec // within the file
	if _, err := s.raw.ReadAt(b, offset); err != nil {
		return false, fmt.Errorf("bolt: scrub: %w", err)
	}
	if b[0] == 0 && bytes.Equal(b[1:], b[:len(b)-1]) {
		return false, nil
	}
	if !s.durable {
		return true, nil
	}
	clear(b)
	if _, err := s.raw.WriteAt(b, offset); err != nil {
		return false, fmt.Errorf("bolt: scrub: %w", err)
	}
	return true, nil
}

// span is pages from one up to before another.
type span struct{ from, to uint64 }

// unused answers the pages that nothing refers to, in order.
func (s *scrubber) unused() ([]span, error) {
	// To begin to write is when bbolt lets go of the pages of states that nobody reads any more.
	tx, err := s.file.Begin(true)
	if err != nil {
		return nil, fmt.Errorf("bolt: scrub: %w", err)
	}
	if err := tx.Rollback(); err != nil {
		return nil, fmt.Errorf("bolt: scrub: %w", err)
	}
	if s.file.Stats().PendingPageN > 0 {
		return nil, errBeingRead
	}
	m, err := s.newest()
	if err != nil {
		return nil, err
	}
	ids, err := s.freeList(m)
	if err != nil {
		return nil, err
	}
	var all []span
	for _, id := range ids {
		if last := len(all) - 1; last >= 0 && all[last].to == id {
			all[last].to++
		} else {
			all = append(all, span{id, id + 1})
		}
	}
	info, err := s.raw.Stat()
	if err != nil {
		return nil, fmt.Errorf("bolt: scrub: %w", err)
	}
	// Behind the last page is what a transaction has written that failed.
	if end := uint64(info.Size()) / m.pageSize; end > m.pages { //nolint:gosec // not negative
		all = append(all, span{m.pages, end})
	}
	return all, nil
}

// Of bbolt's format, version 2 (its docs and internal/common): a page begins with its number, flags, a count of elements and how many
// pages it has beside the first; a meta page goes on with the numbers below, a free list with the numbers of pages.
const (
	pageHeader    = 16
	pageFlagsAt   = 8
	pageCountAt   = 10
	pageMoreAt    = 12
	flagMeta      = 0x04
	flagFreeList  = 0x10
	manyElements  = 0xffff // then the count comes first among the elements
	metaMagic     = 0xED0CDAED
	metaVersion   = 2
	metaSize      = 64
	metaSumAt     = 56 // FNV-1a of all before
	smallestPage  = 512
	largestPage   = 64 << 10
	firstDataPage = 2
)

// meta is what one of the two meta pages says.
type meta struct{ pageSize, root, freeList, pages, transaction uint64 }

func parseMeta(b []byte) (m meta, ok bool) {
	e, body := binary.NativeEndian, b[pageHeader:]
	sum := fnv.New64a()
	_, _ = sum.Write(body[:metaSumAt]) // never fails
	if e.Uint16(b[pageFlagsAt:]) != flagMeta || e.Uint32(body) != metaMagic || e.Uint32(body[4:]) != metaVersion || e.Uint64(body[metaSumAt:]) != sum.Sum64() {
		return meta{}, false
	}
	return meta{
		pageSize: uint64(e.Uint32(body[8:])), root: e.Uint64(body[16:]), freeList: e.Uint64(body[32:]),
		pages: e.Uint64(body[40:]), transaction: e.Uint64(body[48:]),
	}, true
}

// newest reads the newer of the meta pages.
func (s *scrubber) newest() (meta, error) {
	var found meta
	size := int64(s.file.Info().PageSize)
	for page := range int64(2) {
		b := make([]byte, pageHeader+metaSize)
		if _, err := s.raw.ReadAt(b, page*size); err != nil && !errors.Is(err, io.EOF) {
			return meta{}, fmt.Errorf("bolt: scrub: %w", err)
		}
		if m, ok := parseMeta(b); ok && m.transaction >= found.transaction {
			found = m
		}
	}
	if found.pageSize != uint64(size) || found.pageSize < smallestPage || found.pageSize > largestPage || //nolint:gosec // not negative
		found.freeList < firstDataPage || found.freeList >= found.pages || found.root < firstDataPage || found.root >= found.pages {
		return meta{}, errLayout
	}
	return found, nil
}

// freeList reads the numbers of the free pages, which are in order. Anything odd is refused: what is written over cannot be had back.
func (s *scrubber) freeList(m meta) ([]uint64, error) {
	e, at := binary.NativeEndian, int64(m.freeList*m.pageSize) //nolint:gosec // within the file
	head := make([]byte, m.pageSize)
	if _, err := s.raw.ReadAt(head, at); err != nil {
		return nil, fmt.Errorf("bolt: scrub: %w", err)
	}
	more := uint64(e.Uint32(head[pageMoreAt:]))
	if e.Uint64(head) != m.freeList || e.Uint16(head[pageFlagsAt:]) != flagFreeList || m.freeList+more >= m.pages {
		return nil, errLayout
	}
	b := make([]byte, (1+more)*m.pageSize)
	if _, err := s.raw.ReadAt(b, at); err != nil {
		return nil, fmt.Errorf("bolt: scrub: %w", err)
	}
	count, elements := uint64(e.Uint16(b[pageCountAt:])), b[pageHeader:]
	if count == manyElements {
		count, elements = e.Uint64(elements), elements[8:]
	}
	if count > uint64(len(elements))/8 {
		return nil, errLayout
	}
	ids := make([]uint64, count)
	last := uint64(firstDataPage - 1)
	for i := range ids {
		id := e.Uint64(elements[8*i:])
		if id <= last || id >= m.pages || id == m.root || id >= m.freeList && id <= m.freeList+more {
			return nil, errLayout
		}
		ids[i], last = id, id
	}
	return ids, nil
}
