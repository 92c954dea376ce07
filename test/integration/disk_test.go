package integration

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/anteroom/anteroom/rooms/store/storetest"
	"github.com/anteroom/anteroom/signaling/wire"
	"github.com/anteroom/anteroom/test/client"
)

// disk is what a server's data is on.
type disk struct {
	data string
	full func(t *testing.T, p *process) // from now on it takes no more
	free func(t *testing.T, p *process) // and now it does again
}

// disks are the ways in which one can fail.
var disks = map[string]func(t *testing.T) disk{
	"full": smallDisk,
	// The file that is open can be read and not written, as after the kernel has made a failing file system
	// read-only; a mount with files open for writing cannot be made so by anybody but the kernel.
	"takes nothing": func(t *testing.T) disk {
		t.Helper()
		return disk{
			data: t.TempDir(),
			full: func(t *testing.T, p *process) { t.Helper(); p.limitFiles(t, 0) },
			free: func(t *testing.T, p *process) { t.Helper(); p.limitFiles(t, unix.RLIM_INFINITY) },
		}
	},
}

// limitFiles has the kernel refuse the server's writes behind so many bytes of a file.
func (p *process) limitFiles(t *testing.T, bytes uint64) {
	t.Helper()
	must(t, unix.Prlimit(p.command.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}, nil))
}

// smallDisk is a file system of a few megabytes, which a file beside the server's fills. Who may not mount one gets a
// limit on the size of the server's file instead.
func smallDisk(t *testing.T) disk {
	t.Helper()
	d := disk{data: t.TempDir()}
	err := unix.Mount("tmpfs", d.data, "tmpfs", 0, "size=4m")
	if errors.Is(err, syscall.EPERM) {
		t.Log("no rights to mount a file system: the file's size is limited instead")
		d.full = func(t *testing.T, p *process) {
			t.Helper()
			p.limitFiles(t, uint64(get(os.Stat(p.file()))(t).Size())) //nolint:gosec // not negative
		}
		d.free = func(t *testing.T, p *process) { t.Helper(); p.limitFiles(t, unix.RLIM_INFINITY) }
		return d
	}
	must(t, err)
	t.Cleanup(func() { must(t, unix.Unmount(d.data, 0)) })
	ballast := filepath.Join(d.data, "ballast")
	d.full = func(t *testing.T, _ *process) {
		t.Helper()
		file := get(os.Create(ballast))(t) //nolint:gosec // the test's own
		defer file.Close()
		for size := 1 << 20; size > 0; {
			if _, err := file.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
				size /= 2
			} else {
				must(t, err)
			}
		}
	}
	d.free = func(t *testing.T, _ *process) { t.Helper(); must(t, os.Remove(ballast)) }
	return d
}

func TestDisk_TakesNoMore_OpeningSaysRetry_PartingIsAtOnce_MediaGoesOn_ThenAllIsSaved(t *testing.T) {
	for name, prepare := range disks {
		t.Run(name, func(t *testing.T) {
			d := prepare(t)
			p := startProcessIn(t, d.data)
			c := newCompany(t, &p.server)
			removed, ended := c.clinic.visit(t, "Wei Chen"), c.clinic.visit(t, "Ida Berg")
			removedPage := arrive(t, removed.Seats[0].Link)
			endedPatient := &person{Client: arrive(t, ended.Seats[0].Link), name: "third patient"}
			endedDoctor := &person{Client: c.clinician(t, "Dr. Roy"), name: "third doctor"}
			connect(t, endedPatient, endedDoctor)
			must(t, endedDoctor.Admit(within(t), ended.ID, ended.Seats[0].ID))
			talkAll(t, "before", endedDoctor, endedPatient)
			talkAll(t, "before", c.doctor, c.patient, c.specialist)
			talking := c.keepTalking(t)

			d.full(t, p)
			said := c.sayUntilRetry(t)
			p.readiness(t, http.StatusServiceUnavailable)
			c.opensNothing(t)
			parted := map[string]<-chan error{
				"hold":   inBackground(func() error { return c.doctor.Hold(within(t), c.visit.ID, c.patientSeat) }),
				"remove": inBackground(func() error { return c.doctor.Remove(within(t), removed.ID, removed.Seats[0].ID) }),
				"leave":  inBackground(func() error { return c.otherPatient.Leave(within(t)) }),
				"end":    inBackground(func() error { return endedDoctor.End(within(t), ended.ID, wire.DispositionDone) }),
			}
			c.patient.mayNotSend(t)
			shout(t, c.patient, "held", p.forbidden(t))
			c.otherPatient.mayNotSend(t)
			shout(t, c.otherPatient, "left", p.strangers(t))
			if code := get(removedPage.WaitClosed(within(t)))(t); code != wire.CloseRemoved {
				t.Errorf("who is removed is closed with %d", code)
			}
			endedPatient.mayNotSend(t)
			shout(t, endedPatient, "ended", p.strangers(t))
			talk(t, c.doctor, "aside", c.specialist)
			c.opensNothing(t)
			for what, done := range parted {
				unanswered(t, what, done)
			}

			d.free(t, p)
			for what, done := range parted {
				answered(t, what, done)
			}
			p.readiness(t, http.StatusOK)
			talking()
			must(t, c.doctor.Admit(within(t), c.visit.ID, c.newcomerSeat))
			talkAll(t, "with the newcomer", c.doctor, c.specialist, c.newcomer)
			neverHeard(t, c.patient.says("held"), c.everybody...)
			neverHeard(t, c.otherPatient.says("left"), c.everybody...)
			neverHeard(t, endedPatient.says("ended"), endedDoctor)
			neverHeard(t, c.doctor.says("aside"), c.patient)

			p.kill(t)
			storetest.CheckFile(t, p.file())
			p.start(t)
			c.allIsThere(t, removed.ID, ended.ID, said)
		})
	}
}

// keepTalking streams from the specialist, who says nothing else meanwhile, to the doctor until the answer is called, which asks that no packet was lost.
func (c *company) keepTalking(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	mark := c.specialist.says("all the time")
	var streaming sync.WaitGroup
	streaming.Go(func() { _ = c.specialist.peer.Stream(ctx, func() client.Mark { return mark }) })
	must(t, c.doctor.peer.WaitMark(within(t), mark, enough))
	return func() {
		t.Helper()
		seen := c.doctor.peer.Tally()
		must(t, c.doctor.peer.WaitMark(within(t), mark, seen.Of(client.Video, mark)+enough)) // still
		cancel()
		streaming.Wait()
		talk(t, c.specialist, "after all the time", c.doctor)
		for key, flow := range c.doctor.peer.Tally() {
			if key.Mark == mark && flow.Missing() > 0 {
				t.Errorf("of %d packets %v %d are missing", flow.Packets, key, flow.Missing())
			}
		}
	}
}

// sayUntilRetry writes chat until that cannot be saved, and answers how many messages there will be.
func (c *company) sayUntilRetry(t *testing.T) (said int) {
	t.Helper()
	text := strings.Repeat("x", wire.MaxChatRunes)
	for {
		_, err := c.otherDoctor.Once(within(t), wire.TypeChat, wire.Chat{Visit: c.otherVisit.ID, Text: text})
		said++
		if client.Code(err) == wire.CodeRetry {
			return said
		}
		if err != nil {
			t.Fatalf("message %d: %v", said, err)
		}
	}
}

// opensNothing asks that nobody is let in, and no visit made, while nothing can be saved.
func (c *company) opensNothing(t *testing.T) {
	t.Helper()
	c.joinsNobody(t)
	status, answer := c.request(t, http.MethodPost, "/v1/visits", object{"room": c.room, "patient": object{"name": "Nobody"}})
	if status != http.StatusServiceUnavailable {
		t.Errorf("a visit is made: status %d, %s", status, answer)
	}
}

// allIsThere reads what was done while the disk took nothing.
func (c *company) allIsThere(t *testing.T, removed, ended string, said int) {
	t.Helper()
	if v := c.read(t, ended); v.Phase != "ended" {
		t.Errorf("the visit that was ended is %s", v.Phase)
	}
	for id, state := range map[string]string{c.visit.ID: "held", removed: "removed", c.otherVisit.ID: "left"} {
		if v := c.read(t, id); v.Seats[0].State != state {
			t.Errorf("%s is %s, not %s", v.Seats[0].Name, v.Seats[0].State, state)
		}
	}
	page := again(t, c.otherDoctor.Client)
	messages := 0
	for _, m := range page.Messages() {
		if m.Visit == c.otherVisit.ID {
			messages++
		}
	}
	if messages != said {
		t.Errorf("of %d messages %d are there", said, messages)
	}
}

// readiness waits until the server says that it is ready, or is not.
func (p *process) readiness(t *testing.T, want int) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	last := ""
	beat := time.NewTicker(20 * time.Millisecond)
	defer beat.Stop()
	for ctx := within(t); ; <-beat.C {
		r := get(http.NewRequestWithContext(ctx, http.MethodGet, p.admin+"/readyz", http.NoBody))(t)
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatalf("readyz: %v; it was %s", err, last)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == want {
			return
		}
		last = fmt.Sprint(resp.StatusCode)
	}
}
