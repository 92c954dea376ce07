package integration

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anteroom/anteroom/rooms/store/storetest"
)

var (
	lifeFor  = flag.Duration("life.for", time.Minute, "how long people come and go")
	lifeSeed = flag.Uint64("life.seed", 0, "choose what people do as the logged seed did; 0: something else each time")
)

const (
	lifeTest      = "TestLife_PeopleComeAndGo_NothingStays"
	lifeApart     = "ANTEROOM_TEST_LIFE" // set in the process that has the life
	lifeRetention = 5 * time.Second
)

// apart runs the life in a process of its own, at a low priority and beside all other tests, so that its minute costs none.
type apart struct {
	cmd  *exec.Cmd
	said bytes.Buffer
}

// life is the one that runs; nil: none.
var life *apart

// beginLife begins one if the tests to run include it.
func beginLife() *apart {
	run := flag.Lookup("test.run").Value.String()
	if os.Getenv(lifeApart) != "" || flag.Lookup("test.list").Value.String() != "" || !selects(run, lifeTest) {
		return nil
	}
	args := []string{
		os.Args[0], "-test.run=^" + lifeTest + "$", "-test.v", "-test.timeout=0", "-life.for=" + lifeFor.String(), fmt.Sprint("-life.seed=", *lifeSeed),
	}
	if nice, err := exec.LookPath("nice"); err == nil {
		args = append([]string{nice, "-n", "10"}, args...)
	}
	a := &apart{cmd: exec.Command(args[0], args[1:]...)} //nolint:gosec // ourselves
	a.cmd.Env = append(os.Environ(), lifeApart+"=1")
	a.cmd.Stdout, a.cmd.Stderr = &a.said, &a.said
	if err := a.cmd.Start(); err != nil {
		fmt.Fprintln(&a.said, err)
		a.cmd = nil
	}
	return a
}

// selects tells whether -run selects a test.
func selects(pattern, test string) bool {
	matches, err := regexp.MatchString(strings.SplitN(pattern, "/", 2)[0], test)
	return err != nil || matches
}

// end waits until it is over and answers how.
func (a *apart) end() error {
	if a.cmd == nil {
		return errNotBegun
	}
	return a.cmd.Wait()
}

var errNotBegun = errors.New("the process was not begun")

// stop ends a life that nobody has waited for.
func (a *apart) stop() {
	if a != nil && a.cmd != nil && a.cmd.ProcessState == nil {
		_ = a.cmd.Process.Kill()
		_ = a.cmd.Wait()
	}
}

// TestLife_PeopleComeAndGo_NothingStays has staff at work and patients who come, wait, refresh, lose their network, write, are admitted,
// held, cancelled and sent home. At checkpoints everybody stands still for a moment, and what the server holds and says of itself is
// compared with what is true. At the end nothing that anybody wrote may be left in the file, used or not.
func TestLife_PeopleComeAndGo_NothingStays(t *testing.T) {
	if os.Getenv(lifeApart) != "" {
		liveOn(t)
		return
	}
	a := life
	if a == nil {
		a = beginLife() // a second time
	}
	life = nil
	if err := a.end(); err != nil {
		t.Errorf("%v\n%s", err, a.said.String())
	}
	for line := range strings.Lines(a.said.String()) {
		if _, told, ok := strings.Cut(line, "_test.go:"); ok {
			t.Log(strings.TrimSpace(told))
		}
	}
}

func liveOn(t *testing.T) {
	seed := *lifeSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-life.seed=%d -life.for=%v", seed, *lifeFor)
	t.Setenv("ANTEROOM_RETENTION", lifeRetention.String()) // for the server
	l := newSurgery(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var work sync.WaitGroup
	for i, w := range l.clerks {
		w.random = rand.New(rand.NewPCG(seed, uint64(i))) //nolint:gosec // a test repeats it
		work.Go(func() { l.work(ctx, w) })
	}
	every := min(*lifeFor/6, time.Minute)
	for began := time.Now(); time.Since(began) < *lifeFor && !t.Failed(); {
		next := time.NewTimer(every)
		select {
		case <-next.C:
		case <-l.wrong:
		}
		next.Stop()
		l.checkpoint(t)
	}
	stop()
	work.Wait()
	l.report(t)
	if t.Failed() {
		return
	}
	l.closeDown(t)
	l.kill(t)
	storetest.CheckFile(t, l.file())
}

// marks are what people write. Each time between two checkpoints has its own, so that it can be said when they must be gone.
const (
	mark  = "Quetzalcoatl"
	stays = mark + " stays"
)

func (l *surgery) text(what string) string {
	return fmt.Sprintf("%s %04d %s", mark, l.generation.Load(), what)
}
