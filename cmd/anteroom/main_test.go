package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// asProgram makes this test binary be the program.
const asProgram = "ANTEROOM_TEST_RUN_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// program is a server in a process of its own.
type program struct {
	t    *testing.T
	cmd  *exec.Cmd
	at   ready
	log  *locked
	done chan error
}

// locked is a buffer that a process writes while a test reads.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func startProgram(t *testing.T, data string) *program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, log: &locked{}, done: make(chan error, 1)}
	p.cmd = exec.Command(self, "serve", "--dev", "--listen", "127.0.0.1:0", "--data", data, "--json")
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &p.at)
	}
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.end(os.Kill)
		}
	})
	if err != nil || p.at.Event != "ready" {
		t.Fatalf("no line that it is ready: %q, %v\n%s", line, err, p.log)
	}
	return p
}

// end sends a signal and waits for the process.
func (p *program) end(s os.Signal) error {
	p.t.Helper()
	_ = p.cmd.Process.Signal(s)
	select {
	case err := <-p.done:
		return err
	case <-time.After(stopTimeout + 5*time.Second):
		p.t.Fatal("it does not end")
		return nil
	}
}

// cliRun runs a command against it, in this process.
func (p *program) cliRun(data string, args ...string) string {
	p.t.Helper()
	args = append(args, "--url", p.at.URL, "--data", data)
	var out, errs bytes.Buffer
	if code := run(p.t.Context(), args, &out, &errs); code != 0 {
		p.t.Fatalf("%v: %d %s", args, code, errs.String())
	}
	return out.String()
}

var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
	DisableKeepAlives: true,
	TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // a certificate made in the test
}}

func fetch(t *testing.T, method, url, body string) (int, http.Header, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	res, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(text)
}

func joinBody(link string) string {
	_, token, _ := strings.Cut(strings.TrimSpace(link), "#")
	return `{"token":"` + token + `"}`
}

func TestProgram_KilledAndStartedAgain_HasEverything(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	first := startProgram(t, data)
	var made struct {
		ID    string
		Seats []struct{ Link string }
	}
	if err := json.Unmarshal([]byte(first.cliRun(data, "visit", "create", "--patient", "Alex", "--json")), &made); err != nil {
		t.Fatal(err)
	}
	staffLink := first.cliRun(data, "token", "staff")
	if status, _, text := fetch(t, "POST", first.at.URL+"/v1/join", joinBody(made.Seats[0].Link)); status != 200 {
		t.Fatalf("join: %d %s", status, text)
	}
	_ = first.end(os.Kill)

	second := startProgram(t, data)
	listed := second.cliRun(data, "visit", "list")
	if !strings.Contains(listed, made.ID) || !strings.Contains(listed, "Alex") {
		t.Errorf("after kill -9: %s", listed)
	}
	for kind, link := range map[string]string{"seat": made.Seats[0].Link, "staff": staffLink} {
		status, header, text := fetch(t, "POST", second.at.URL+"/v1/join", joinBody(link))
		if status != 200 || !strings.Contains(text, `"kind":"`+kind+`"`) || header.Get("Set-Cookie") == "" {
			t.Errorf("join as %s: %d %s", kind, status, text)
		}
	}
	if err := second.end(syscall.SIGTERM); err != nil {
		t.Errorf("graceful stop: %v\n%s", err, second.log)
	}
	if log := second.log.String(); !strings.Contains(log, `"msg":"stopped"`) || strings.Contains(log, "Alex") {
		t.Errorf("log: %s", log)
	}
	info, err := os.Stat(data)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data folder: %v %v", info.Mode(), err)
	}
}

func TestProgram_SecondOnOneFolder_IsRefused(t *testing.T) {
	data := t.TempDir()
	startProgram(t, data)
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"serve", "--dev", "--listen=127.0.0.1:0", "--data", data}, &out, &errs); code != 1 ||
		!strings.Contains(errs.String(), "in use by another process") {
		t.Errorf("%d %s", code, errs.String())
	}
}

// startServer starts a server in this process; it ends with the test.
func startServer(t *testing.T, args ...string) (at ready, log *locked, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	log = &locked{}
	code := make(chan int, 1)
	args = append([]string{"serve", "--json", "--data", t.TempDir(), "--listen=127.0.0.1:0", "--admin=127.0.0.1:0", "--log-level=debug"}, args...)
	go func() {
		code <- run(ctx, args, w, log)
		w.Close()
	}()
	stop = sync.OnceValue(func() int { cancel(); return <-code })
	t.Cleanup(func() { stop() })
	if err := json.NewDecoder(r).Decode(&at); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	return at, log, stop
}

func TestServe_Health_AndMetrics(t *testing.T) {
	at, _, stop := startServer(t, "--dev")
	for _, url := range []string{at.URL + "/healthz", at.URL + "/readyz", at.Admin + "/healthz", at.Admin + "/readyz"} {
		if status, _, text := fetch(t, "GET", url, ""); status != 200 {
			t.Errorf("%s: %d %s", url, status, text)
		}
	}
	fetch(t, "GET", at.URL+"/v1/demo", "") // makes a visit, so that commands are counted
	_, _, metrics := fetch(t, "GET", at.Admin+"/metrics", "")
	for _, name := range []string{
		`anteroom_media{what="peers"} 0`, "anteroom_media_packets_total", "anteroom_media_discarded_total",
		"anteroom_port_connections_total", "anteroom_turn{", "go_goroutines", "process_cpu_seconds_total",
	} {
		if !strings.Contains(metrics, name) {
			t.Errorf("no %s", name)
		}
	}
	document, err := os.ReadFile(operations)
	if err != nil {
		t.Fatal(err)
	}
	for _, described := range strings.Split(metrics, "# TYPE anteroom_")[1:] {
		name, _, _ := strings.Cut(described, " ")
		if !strings.Contains(string(document), "`anteroom_"+name+"`") {
			t.Errorf("anteroom_%s is not in docs/operations.md", name)
		}
	}
	if status, _, _ := fetch(t, "GET", at.URL+"/metrics", ""); status != 404 {
		t.Errorf("metrics on the public port: %d", status)
	}
	if code := stop(); code != 0 {
		t.Errorf("stopped with %d", code)
	}
}

func TestServe_PersonalData_IsInNoLog(t *testing.T) {
	at, log, stop := startServer(t, "--dev")
	_, _, demo := fetch(t, "GET", at.URL+"/v1/demo", "")
	var d struct{ Patient struct{ Name, Link string } }
	if err := json.Unmarshal([]byte(demo), &d); err != nil {
		t.Fatal(err)
	}
	fetch(t, "POST", at.URL+"/v1/join", joinBody(d.Patient.Link))
	fetch(t, "POST", at.URL+"/v1/visits", `{"patient":{"name":"`+d.Patient.Name+`"}}`)
	fetch(t, "GET", at.URL+"/join?name=Zaphod", "")
	stop()
	_, token, _ := strings.Cut(d.Patient.Link, "#")
	for _, secret := range []string{d.Patient.Name, token, "Zaphod", "1984-03-12", "Cough"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log: %s", secret, log)
		}
	}
	if !strings.Contains(log.String(), `"route":"POST /v1/join","status":200`) {
		t.Errorf("requests are not in the log: %s", log)
	}
}

func TestServe_BadStart_SaysWhichSettingIsWrong(t *testing.T) {
	taken, _, _ := startServer(t, "--dev")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"port taken":         {[]string{"--dev", "--listen", strings.TrimPrefix(taken.URL, "http://")}, "--listen"},
		"admin port taken":   {[]string{"--dev", "--listen=127.0.0.1:0", "--admin", strings.TrimPrefix(taken.Admin, "http://")}, "--admin"},
		"media port taken":   {[]string{"--dev", "--listen=127.0.0.1:0", "--media", taken.Media}, "--media"},
		"data is a file":     {[]string{"--dev", "--listen=127.0.0.1:0", "--data", file}, "--data"},
		"no certificate":     {[]string{"--public-url=https://v.example", "--listen=127.0.0.1:0", "--tls-cert", file, "--tls-key", file}, "--tls-cert"},
		"no public URL":      {[]string{"--listen=127.0.0.1:0"}, "--public-url"},
		"an unknown flag":    {[]string{"--lisen=127.0.0.1:0"}, "--lisen"},
		"an unknown command": {[]string{"now"}, "now"},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"serve"}
			if !strings.Contains(strings.Join(c.args, " "), "--data") {
				args = append(args, "--data", t.TempDir())
			}
			var out, errs bytes.Buffer
			if code := run(t.Context(), append(args, c.args...), &out, &errs); code != 1 || !strings.Contains(errs.String(), c.says) {
				t.Errorf("%d %s; it should say %s", code, errs.String(), c.says)
			}
		})
	}
}

func TestVersion_IsPrinted(t *testing.T) {
	var out bytes.Buffer
	if code := run(t.Context(), []string{"version"}, &out, io.Discard); code != 0 || !strings.HasPrefix(out.String(), "anteroom ") {
		t.Errorf("%d %q", code, out.String())
	}
}
