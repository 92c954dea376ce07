package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is `anteroom serve` on data of its own.
type server struct {
	cmd   *exec.Cmd
	data  string
	key   string // of its clinic
	http  *http.Client
	ready struct{ URL, Admin string }
}

func startServer(binary string, secure bool) (*server, error) {
	data, err := os.MkdirTemp("", "anteroom-idle-")
	if err != nil {
		return nil, err
	}
	s := &server{data: data, http: &http.Client{Transport: &http.Transport{TLSClientConfig: anyCertificate}}}
	args := []string{"serve", "--dev", "--json", "--log-level", "error", "--listen", "127.0.0.1:0", "--media", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", data}
	if secure {
		cert, key, err := writeCertificate(data)
		if err != nil {
			return nil, err
		}
		args = append(args, "--tls-cert", cert, "--tls-key", key)
	}
	s.cmd = exec.Command(binary, args...) //nolint:noctx // stopped by stop
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &s.ready)
	}
	var key []byte
	if err == nil {
		key, err = os.ReadFile(filepath.Join(data, "dev-key"))
	}
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	s.key = strings.TrimSpace(string(key))
	return s, nil
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
	_ = os.RemoveAll(s.data)
}

// call is a REST request.
func (s *server) call(method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequest(method, s.ready.URL+path, bytes.NewReader(body)) //nolint:noctx // ends with the process
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	r.Header.Set("Content-Type", "application/json")
	answer, err := s.http.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, text)
	}
	return json.Unmarshal(text, out)
}

// visits makes visits and answers the patients' links.
func (s *server) visits(n, rooms int) (links []string, err error) {
	ids := make([]string, rooms)
	for i := range ids {
		var room struct{ ID string }
		if err := s.call(http.MethodPost, "/v1/rooms", map[string]any{"name": fmt.Sprint("Room ", i)}, &room); err != nil {
			return nil, err
		}
		ids[i] = room.ID
	}
	for i := range n {
		var visit struct{ Seats []struct{ Link string } }
		if err := s.call(http.MethodPost, "/v1/visits", map[string]any{
			"room": ids[i%rooms], "patient": map[string]any{"name": fmt.Sprint("Patient ", i), "birthDate": "1950-02-03"}, "reason": "Cough",
		}, &visit); err != nil {
			return nil, err
		}
		links = append(links, visit.Seats[0].Link)
	}
	return links, nil
}

// footprint is what the process holds now.
type footprint struct {
	rss, anonymous           float64 // kB
	heap, stacks, goroutines float64 // of its own count: bytes, bytes
}

func (s *server) footprint() (f footprint, err error) {
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", s.cmd.Process.Pid))
	if err != nil {
		return f, err
	}
	answer, err := http.Get(s.ready.Admin + "/metrics") //nolint:noctx // ends with the process
	if err != nil {
		return f, err
	}
	defer answer.Body.Close()
	counters, err := io.ReadAll(answer.Body)
	if err != nil {
		return f, err
	}
	for name, to := range map[string]*float64{
		"Rss:": &f.rss, "Anonymous:": &f.anonymous,
		"go_memstats_heap_inuse_bytes": &f.heap, "go_memstats_stack_inuse_bytes": &f.stacks, "go_goroutines": &f.goroutines,
	} {
		if *to, err = figure(string(rollup)+string(counters), name); err != nil {
			return f, err
		}
	}
	return f, nil
}

// figure is the number that stands behind a name at the beginning of a line.
func figure(text, name string) (float64, error) {
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == name {
			return strconv.ParseFloat(fields[1], 64)
		}
	}
	return 0, fmt.Errorf("no %s", name)
}

// busy is how much of a core the server uses for a while, in percent.
func (s *server) busy(watch time.Duration) (percent float64, err error) {
	begin := time.Now()
	from, err := processorTime(s.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	<-time.After(watch)
	to, err := processorTime(s.cmd.Process.Pid)
	return 100 * (to - from).Seconds() / time.Since(begin).Seconds(), err
}

// processorTime is what the threads of a process have used, by the scheduler's own accounting.
func processorTime(pid int) (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	var total time.Duration
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // a thread that has ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			return 0, err
		}
		total += time.Duration(ns)
	}
	return total, nil
}
