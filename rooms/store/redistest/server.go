// Package redistest starts Redis servers for tests: one, a master with a replica and Sentinels, a Cluster; and kills, stops and
// moves them. They are real processes on free ports of loopback, each with a folder of its own, and end with the test, or with
// its process, whatever ends that. It is imported by tests only.
package redistest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// patience bounds every wait for a state.
const patience = 30 * time.Second

// wrapper starts a server, tells its process id, and ends it when standard input does: with whoever started it.
const wrapper = `"$@" >>log 2>&1 & pid=$!; echo $pid; cat >/dev/null; kill -9 $pid 2>/dev/null; wait $pid`

// Server is one process, a Redis or a Sentinel.
type Server struct {
	Port int

	t    testing.TB
	dir  string
	args []string
	env  []string // beside this process'
	pid  int
	end  func()

	clock string // a file, if it can be set
}

// Start starts a Redis with further arguments, such as "--appendonly", "yes". Without any it keeps nothing on disk.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	s := newServer(t, append([]string{"--save", "", "--appendonly", "no"}, args...)...)
	s.start()
	return s
}

// StartTLS starts one that speaks TLS alone, and lets nobody in without a name; further arguments make a user.
func StartTLS(t testing.TB, cert, key string, args ...string) *Server {
	t.Helper()
	s := newServer(t, "--save", "", "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert,
		"--tls-auth-clients", "no")
	s.args = append(s.args, "--port", "0", "--tls-port", strconv.Itoa(s.Port), "--requirepass", "of the default user")
	s.args = append(s.args, args...)
	s.start()
	return s
}

func newServer(t testing.TB, args ...string) *Server {
	t.Helper()
	s := &Server{t: t, dir: folder(t), Port: FreePort(t)}
	s.args = append([]string{"--bind", "127.0.0.1", "--port", strconv.Itoa(s.Port), "--dir", s.dir, "--daemonize", "no"}, args...)
	t.Cleanup(func() {
		if s.end != nil {
			s.end()
		}
	})
	return s
}

// StartWithClock starts a Redis whose clock SetClock sets; otherwise it is as with Start.
func StartWithClock(t testing.TB, args ...string) *Server {
	t.Helper()
	libraries, err := filepath.Glob("/usr/lib/*/faketime/libfaketime.so.1")
	if err != nil || len(libraries) == 0 {
		t.Fatal("libfaketime is not here; make deps installs it")
	}
	s := newServer(t, append([]string{"--save", "", "--appendonly", "no"}, args...)...)
	s.clock = filepath.Join(folder(t), "clock")
	// With libc before jemalloc, which asks for the time before libfaketime is ready to tell it.
	preload := libraries[0] + " " + filepath.Join(filepath.Dir(filepath.Dir(libraries[0])), "libc.so.6")
	s.env = []string{
		"LD_PRELOAD=" + preload, "FAKETIME_TIMESTAMP_FILE=" + s.clock, "FAKETIME_CACHE_DURATION=1", "FAKETIME_DONT_FAKE_MONOTONIC=1",
	}
	s.SetClock(0)
	s.start()
	return s
}

// SetClock sets the clock of a server that StartWithClock has started: by how much it goes before this machine's, or behind. It sees that within a
// second.
func (s *Server) SetClock(ahead time.Duration) {
	s.t.Helper()
	next := s.clock + ".next"
	err := os.WriteFile(next, fmt.Appendf(nil, "%+.3f\n", ahead.Seconds()), 0o600)
	if err == nil {
		err = os.Rename(next, s.clock) // it never reads half of it
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// folder is short-lived, and one that a server may still write to while it is removed.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "redistest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Addr is host and port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port)) }

func (s *Server) start() {
	s.t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", wrapper, "sh", "redis-server"}, s.args...)...) //nolint:gosec,noctx // ends with its input
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), s.env...)
	in, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.end = func() {
		in.Close()
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		s.end = nil
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		s.pid, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		s.t.Fatalf("redis-server: %v; make deps installs it", err)
	}
	if !s.eventually(func() bool { return s.answers() }) {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		s.t.Fatalf("redis-server does not answer:\n%s", log)
	}
}

// answers tells whether it talks; that it wants to know who asks, or TLS, is an answer.
func (s *Server) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", s.Addr())
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	if s.tls() {
		return true
	}
	_, err = c.Write([]byte("PING\r\n"))
	line, _ := bufio.NewReader(c).ReadString('\n')
	return err == nil && line != "" && !strings.HasPrefix(line, "-LOADING")
}

func (s *Server) tls() bool { return strings.Contains(strings.Join(s.args, " "), "--tls-port") }

// eventually waits for a state.
func (s *Server) eventually(is func() bool) bool {
	end := time.After(patience)
	for {
		if is() {
			return true
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-end:
			return false
		}
	}
}

// Kill ends it like a power cut.
func (s *Server) Kill() {
	s.t.Helper()
	s.signal(syscall.SIGKILL)
	s.end()
}

// Pause lets it stand still with its connections open, until Resume.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume lets it go on.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := syscall.Kill(s.pid, sig); err != nil {
		s.t.Fatalf("%v to a redis-server: %v", sig, err)
	}
}

// Restart starts one that was killed, with what its folder holds, on the same port.
func (s *Server) Restart() {
	s.t.Helper()
	s.start()
}

// Remember notes what its folder holds now. The answered function brings that back while the server is killed, as a failover does to a
// replica that lags.
func (s *Server) Remember() (back func()) {
	s.t.Helper()
	was := folder(s.t)
	copyTo := func(to, from string) {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			s.t.Fatal(err)
		}
	}
	copyTo(was, s.dir)
	return func() {
		if err := os.RemoveAll(s.dir); err != nil {
			s.t.Fatal(err)
		}
		copyTo(s.dir, was)
	}
}

// Dump is everything that it holds, as the file that Redis writes, which is not compressed.
func (s *Server) Dump() []byte {
	s.t.Helper()
	c := s.Client()
	ctx := s.t.Context()
	for _, do := range []error{c.ConfigSet(ctx, "rdbcompression", "no").Err(), c.Save(ctx).Err()} {
		if do != nil {
			s.t.Fatal(do)
		}
	}
	raw, err := os.ReadFile(filepath.Join(s.dir, "dump.rdb"))
	if err != nil {
		s.t.Fatal(err)
	}
	return raw
}

// Client is a client of this server alone, closed with the test.
func (s *Server) Client() *redis.Client {
	c := redis.NewClient(&redis.Options{
		Addr: s.Addr(), DisableIdentity: true, MaxRetries: -1, Protocol: 2,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// do has the server do something, or fails the test.
func (s *Server) do(c *redis.Client, args ...any) any {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := c.Do(ctx, args...).Result()
	if err != nil {
		s.t.Fatalf("%s of %s: %v", fmt.Sprint(args[:min(2, len(args))]...), s.Addr(), err)
	}
	return answer
}

// Counter answers a function that says how many commands the server has done since it was started, by its own count.
func (s *Server) Counter() func(ctx context.Context) (int64, error) {
	c := s.Client()
	return func(ctx context.Context) (int64, error) {
		info, err := c.InfoMap(ctx, "stats").Result()
		if err != nil {
			return 0, err
		}
		return strconv.ParseInt(info["Stats"]["total_commands_processed"], 10, 64)
	}
}
