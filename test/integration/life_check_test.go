package integration

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms"
	"github.com/anteroom/anteroom/rooms/store/storetest"
	"github.com/anteroom/anteroom/signaling/wire"
)

// lookAgain is the time between two looks at something that is awaited.
const lookAgain = 100 * time.Millisecond

// sample is what the server held at a checkpoint.
type sample struct {
	heap, goroutines, resident, file float64
	made                             int
}

// Bounds of what may have grown from the second checkpoint, when all has been used once, to the last. A connection is a goroutine, so that
// those are not counted as growth.
const (
	heapGrowth     = 1.15
	heapSlack      = 2 << 20
	goroutineSlack = 12 // of timers, and of the calls that ask
	residentGrowth = 1.25
	residentSlack  = 16 << 20
	fileBase       = 4 << 20 // the file grows by doubling at first
	filePerVisit   = 8 << 10 // what is kept of a visit for good, its entries in indices, and that pages are half full
)

// metrics are all that the operator's endpoint tells, by name and labels.
func (p *process) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	r := get(http.NewRequestWithContext(within(t), http.MethodGet, p.admin+"/metrics", http.NoBody))(t)
	resp := get((&http.Transport{DisableKeepAlives: true}).RoundTrip(r))(t)
	defer resp.Body.Close()
	all := map[string]float64{}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if ok && name != "#" {
			all[name] = get(strconv.ParseFloat(value, 64))(t)
		}
	}
	must(t, lines.Err())
	return all
}

// await looks again and again until nothing is wrong, or patience is over: then it says what.
func await(t *testing.T, what string, wrong func() string) {
	t.Helper()
	ctx, done := context.WithTimeout(t.Context(), 2*patience)
	defer done()
	beat := time.NewTicker(lookAgain)
	defer beat.Stop()
	for {
		trouble := wrong()
		if trouble == "" {
			return
		}
		select {
		case <-beat.C:
		case <-ctx.Done():
			t.Errorf("%s: %s", what, trouble)
			return
		}
	}
}

// checkpoint has everybody stand still and compares what the server says with what is true.
func (l *surgery) checkpoint(t *testing.T) {
	t.Helper()
	defer l.pause()()
	l.mu.Lock()
	failed := l.failed
	l.mu.Unlock()
	if failed != nil {
		t.Error(failed)
		return
	}
	l.agree(t)
	l.seen = append(l.seen, l.measure(t))
	l.prints = append(l.prints, l.takePrints(t))
	g := l.generation.Add(1)
	if past := g - 3; past >= 0 && *lifeFor >= 10*time.Minute { // whose visits are over since two checkpoints
		l.gone(t, fmt.Sprintf("%s %04d", mark, past), l.prints[past])
		l.prints[past] = nil
	}
}

// agree compares gauges and counters with a recount.
func (l *surgery) agree(t *testing.T) {
	t.Helper()
	now := l.truth()
	await(t, "metrics", func() string {
		said := l.metrics(t)
		is := map[string]float64{
			"anteroom_sockets":                          float64(now.pages),
			`anteroom_limit_use_ratio{limit="sockets"}`: float64(now.pages) / 20_000,
			`anteroom_port_connections{what="open"}`:    float64(now.pages),
			`anteroom_port_connections{what="waiting"}`: 0,
			`anteroom_media{what="peers"}`:              float64(now.peers),
			`anteroom_media{what="routes"}`:             4, // of those who talk all the time: sound and picture, each way
			"anteroom_rooms":                            2,
			`anteroom_panics_total{what="rest"}`:        0,
			`anteroom_panics_total{what="rooms"}`:       0,
			`anteroom_panics_total{what="media"}`:       0,
			`anteroom_turn{what="allocations"}`:         0,
		}
		for phase, n := range l.recount(t) {
			is[fmt.Sprintf("anteroom_visits{phase=%q}", phase)] = float64(n)
		}
		var wrong []string
		for action, n := range now.did {
			counted := func(result string) int {
				return int(said[fmt.Sprintf("anteroom_commands_total{action=%q,result=%q}", action, result)])
			}
			// One that was answered again was done before, or was not known to be saved and is counted as retry.
			if ok, again := counted("ok"), counted("repeated"); n < ok || n > ok+again {
				wrong = append(wrong, fmt.Sprintf("of %d times %s %d are counted, and %d again", n, action, ok, again))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(is)) {
			if said[name] != is[name] {
				wrong = append(wrong, fmt.Sprintf("%s is %v and not %v", name, said[name], is[name]))
			}
		}
		return strings.Join(wrong, "; ")
	})
	for i, desk := range l.desks {
		await(t, "the list", func() string {
			rows, waiting := desk.List(), 0
			visits := map[string]bool{}
			for _, r := range rows {
				visits[r.Visit] = true
				if r.State == wire.SeatWaiting {
					waiting++
				}
			}
			there, _ := l.listed(t, l.rooms[i])
			if want := map[int]int{0: 3}[i]; waiting != want || len(visits) != there {
				return fmt.Sprintf("%d wait and not %d; %d visits and not %d", waiting, want, len(visits), there)
			}
			return ""
		})
	}
}

// recount counts the visits of both rooms that are not erased, by phase.
func (l *surgery) recount(t *testing.T) map[rooms.Phase]int {
	t.Helper()
	sum := map[rooms.Phase]int{}
	for _, p := range []rooms.Phase{
		rooms.PhaseScheduled, rooms.PhaseWaiting, rooms.PhaseActive, rooms.PhaseHeld, rooms.PhaseEnded, rooms.PhaseCancelled, rooms.PhaseNoShow,
		rooms.PhaseMoved,
	} {
		sum[p] = 0
	}
	for _, c := range l.rooms {
		_, phases := l.listed(t, c)
		for p, n := range phases {
			sum[p] += n
		}
	}
	return sum
}

// listed counts a room's visits that are not erased, by REST.
func (l *surgery) listed(t *testing.T, c *clinic) (visits int, phases map[rooms.Phase]int) {
	t.Helper()
	phases = map[rooms.Phase]int{}
	for after := l.from[c]; ; {
		page := call[struct {
			Items []struct {
				ID       string
				Phase    rooms.Phase
				ErasedAt *time.Time
			}
			Next string
		}](t, c.server, http.MethodGet, "/v1/visits?"+url.Values{"room": {c.room}, "after": {after}, "limit": {"100"}}.Encode(), nil)
		for i, v := range page.Items {
			if v.ErasedAt == nil {
				visits++
				phases[v.Phase]++
			} else if visits == 0 && i > 0 {
				l.from[c] = page.Items[i-1].ID // all up to it are erased for good
			}
		}
		if after = page.Next; after == "" {
			return visits, phases
		}
	}
}

// measure has the server collect its garbage, by asking until it has done so twice, and reads what is left.
func (l *surgery) measure(t *testing.T) sample {
	t.Helper()
	first := l.metrics(t)
	s := sample{heap: first["go_memstats_heap_alloc_bytes"], made: l.truth().made}
	for ctx := within(t); ctx.Err() == nil; {
		m := l.metrics(t)
		s.heap = min(s.heap, m["go_memstats_heap_alloc_bytes"])
		s.goroutines = m["go_goroutines"] - m["anteroom_sockets"]
		s.resident = m["process_resident_memory_bytes"]
		if m["go_gc_duration_seconds_count"] >= first["go_gc_duration_seconds_count"]+2 {
			break
		}
	}
	s.file = float64(get(os.Stat(l.file()))(t).Size())
	t.Logf("%d visits: %.1f MB of heap, %.0f MB resident, %.0f goroutines beside those of sockets, %.1f MB of file",
		s.made, s.heap/(1<<20), s.resident/(1<<20), s.goroutines, s.file/(1<<20))
	return s
}

// report asks that nothing has grown but the file, by as much as may stay of each visit.
func (l *surgery) report(t *testing.T) {
	t.Helper()
	t.Logf("%v", l.truth().did)
	if len(l.seen) < 4 || t.Failed() {
		t.Errorf("%d checkpoints", len(l.seen))
		return
	}
	first, last := l.seen[1], l.seen[len(l.seen)-1]
	for _, grown := range []struct {
		what     string
		is, most float64
	}{
		{"bytes of heap", last.heap, first.heap*heapGrowth + heapSlack},
		{"goroutines", last.goroutines, first.goroutines + goroutineSlack},
		{"bytes resident", last.resident, first.resident*residentGrowth + residentSlack + last.file - first.file}, // which is mapped
		{"bytes of file", last.file, fileBase + filePerVisit*float64(last.made)},
	} {
		if grown.is > grown.most {
			t.Errorf("%.0f %s, more than %.0f", grown.is, grown.what, grown.most)
		}
	}
}

// fingerprint is a part of a visit's record as the file has it. It is encrypted, and no other state of the visit has the same.
type fingerprint struct {
	visit string
	bytes []byte
}

const printSize = 64

// takePrints takes them of all visits that are not erased.
func (l *surgery) takePrints(t *testing.T) (all []fingerprint) {
	t.Helper()
	records := l.records(t)
	kept, erased := 0, 0
	for id, record := range records {
		if bytes.Contains(record, []byte(`"erased_at"`)) {
			kept, erased = kept+len(record), erased+1
		}
		if from := len(record)*3/4 - printSize; from > 0 && !bytes.Contains(record, []byte(`"erased_at"`)) {
			all = append(all, fingerprint{id, record[from : from+printSize]})
		}
	}
	t.Logf("%d visits are not erased; of each that is %d bytes stay", len(records)-erased, kept/max(erased, 1))
	return all
}

// records reads the visits in a copy of the file.
func (l *surgery) records(t *testing.T) (records map[string][]byte) {
	t.Helper()
	await(t, "a copy of the file", func() string {
		path := filepath.Join(t.TempDir(), "copy")
		must(t, os.WriteFile(path, get(os.ReadFile(l.file()))(t), 0o600))
		defer os.Remove(path)
		var ok bool
		if records, ok = storetest.Visits(t, path); !ok {
			return "it was being written"
		}
		return ""
	})
	return records
}

// gone waits until a text is nowhere in the server's file, and of records nothing that is not in use.
func (l *surgery) gone(t *testing.T, text string, prints []fingerprint) {
	t.Helper()
	await(t, "the file", func() string {
		file := get(os.ReadFile(l.file()))(t)
		if n := bytes.Count(file, []byte(text)); n > 0 {
			return fmt.Sprintf("%q is there %d times", text, n)
		}
		var records map[string][]byte
		for _, p := range prints {
			if !bytes.Contains(file, p.bytes) {
				continue
			}
			if records == nil {
				records = l.records(t)
			}
			if !bytes.Contains(records[p.visit], p.bytes) {
				return fmt.Sprintf("an earlier record of visit %s can be read", p.visit)
			}
		}
		return ""
	})
}

// closeDown ends what has gone on all the time. Then nobody is left, all visits are erased, and nothing of them can be found.
func (l *surgery) closeDown(t *testing.T) {
	t.Helper()
	t.Logf("what was written is in the file %d times", bytes.Count(get(os.ReadFile(l.file()))(t), []byte(mark))) // none, if it is encrypted
	ctx := within(t)
	doctor := l.stayers[len(l.stayers)-1]
	must(t, l.ack(rooms.ActEnd, doctor.End(ctx, l.longVisit.ID, wire.DispositionDone)))
	for _, page := range l.stayers {
		if view := page.View(); view.Me.State == wire.SeatWaiting {
			must(t, l.ack(rooms.ActCancel, l.desks[0].Cancel(ctx, view.Visit.ID, "")))
		}
		l.leave(page)
	}
	await(t, "the end", func() string {
		said := l.metrics(t)
		for name, n := range said {
			if strings.HasPrefix(name, "anteroom_visits{") && n != 0 || strings.HasPrefix(name, "anteroom_media{what=\"routes\"") && n != 0 {
				return fmt.Sprintf("%s is %v", name, n)
			}
		}
		if erased := said[`anteroom_commands_total{action="erase",result="ok"}`]; int(erased) != l.truth().made {
			return fmt.Sprintf("%.0f of %d visits were erased", erased, l.truth().made)
		}
		return ""
	})
	l.gone(t, mark, slices.Concat(l.prints...))
	for _, desk := range l.desks { // who are told a moment later than the operator and the file
		await(t, "staff", func() string {
			if rows, said := desk.List(), desk.Messages(); len(rows)+len(said) != 0 {
				return fmt.Sprintf("they see %+v and read %+v", rows, said)
			}
			return ""
		})
	}
}
