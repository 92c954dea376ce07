package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// process is one of the roles, running.
type process struct {
	cmd   *exec.Cmd
	input io.Closer
	lines *bufio.Scanner
}

// program returns the file of this program.
var program = os.Executable

// start runs this program in a role on the cores given.
func start(cores []int, args ...string) (*process, error) {
	self, err := program()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, args...) //nolint:noctx // stopped by stop
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	// A child has the cores of the thread that starts it, and Go sees them as its processors.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, some unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return nil, err
	}
	for _, core := range cores {
		some.Set(core)
	}
	if err := unix.SchedSetaffinity(0, &some); err != nil {
		return nil, err
	}
	err = cmd.Start()
	if e := unix.SchedSetaffinity(0, &all); err == nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, input: in, lines: bufio.NewScanner(out)}
	p.lines.Buffer(nil, 1<<20)
	return p, nil
}

// read reads the next line that the process prints, as JSON.
func (p *process) read(out any) error {
	if !p.lines.Scan() {
		return fmt.Errorf("%v ended early", p.cmd.Args[1:])
	}
	return json.Unmarshal(p.lines.Bytes(), out)
}

// await reads until the process prints that word.
func (p *process) await(word string) error {
	for p.lines.Scan() {
		if p.lines.Text() == word {
			return nil
		}
	}
	return fmt.Errorf("%v ended before %q", p.cmd.Args[1:], word)
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
}

// cpu returns the processor time that the process has used, in seconds, by the scheduler's own accounting of each of its threads.
func (p *process) cpu() (float64, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	total := 0.0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // a thread that has ended
		}
		ns, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
		if err != nil {
			return 0, err
		}
		total += ns / 1e9
	}
	return total, nil
}
