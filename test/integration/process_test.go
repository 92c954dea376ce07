package integration

import (
	"bufio"
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

var serverLogs = flag.String("server.logs", "", "folder for what each start of a server logs; empty: only that of one that does not start or stop as it should")

// process is `anteroom serve` with a data folder of its own.
type process struct {
	server
	admin   string // address of the operator's endpoints
	data    string
	web     string // host:port, kept over restarts, so that links and cookies stay true
	media   string
	args    []string // beside those that every server gets
	next    bool     // it is of the version that writes the next schema
	command *exec.Cmd
	log     *strings.Builder // of the last start; whole when the process has ended
}

// startProcess starts a server that is killed when the test ends, and stops the test if it does not come up.
func startProcess(t *testing.T) *process {
	t.Helper()
	return startProcessIn(t, t.TempDir())
}

// startProcessIn is startProcess with a data folder.
func startProcessIn(t *testing.T, data string) *process {
	t.Helper()
	p := &process{data: data, web: freeAddress(t), media: freeAddress(t)}
	t.Cleanup(func() { p.kill(t) })
	p.start(t)
	key := get(os.ReadFile(filepath.Join(p.data, "dev-key")))(t)
	p.key = strings.TrimSpace(string(key))
	return p
}

// serve is the command, not started yet.
func (p *process) serve(t *testing.T) *exec.Cmd {
	t.Helper()
	version := binary
	if p.next {
		version = nextBinary
	}
	c := exec.Command(get(version())(t), "serve", "--dev", "--json", "--listen", p.web, "--media", p.media,
		"--admin", "127.0.0.1:0", "--data", p.data)
	c.Args = append(c.Args, p.args...)
	return c
}

// start starts the server on the data that is there and waits until it is ready.
func (p *process) start(t *testing.T) {
	t.Helper()
	p.command = p.serve(t)
	out := get(p.command.StdoutPipe())(t)
	p.log = &strings.Builder{}
	p.command.Stderr = p.log
	if *serverLogs != "" {
		f := get(os.CreateTemp(*serverLogs, "server-*.log"))(t)
		defer f.Close()
		p.command.Stderr = f
	}
	must(t, p.command.Start())
	var ready struct{ Event, URL, Media, Admin string }
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err != nil || ready.Event != "ready" {
		_ = p.command.Process.Kill()
		_ = p.command.Wait()
		t.Fatalf("the server did not start: %v, said %q, log:\n%s", err, line, p.log.String())
	}
	p.url, p.admin, p.media = ready.URL, ready.Admin, ready.Media
	p.web = get(url.Parse(ready.URL))(t).Host
}

// kill ends the server as a power cut does.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if p.command == nil || p.command.ProcessState != nil {
		return
	}
	must(t, p.command.Process.Signal(syscall.SIGKILL))
	_ = p.command.Wait()
}

// restart kills the server and starts it again on the same addresses.
func (p *process) restart(t *testing.T) {
	t.Helper()
	p.kill(t)
	p.start(t)
}
