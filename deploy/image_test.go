package deploy_test

import (
	"bufio"
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// nobody is the user of the image.
const nobody = 65532

// dockerfile is the Dockerfile's instructions, one a line.
func dockerfile(t *testing.T) []string {
	t.Helper()
	text := strings.ReplaceAll(read(t, "Dockerfile"), "\\\n", " ")
	var lines []string
	for line := range strings.Lines(text) {
		if line = fields(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// stage is the instructions of one FROM.
func stage(t *testing.T, from string) []string {
	t.Helper()
	lines := dockerfile(t)
	begin := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "FROM ") && strings.HasSuffix(l, " "+from) })
	if begin < 0 {
		t.Fatalf("no FROM %s", from)
	}
	end := slices.IndexFunc(lines[begin+1:], func(l string) bool { return strings.HasPrefix(l, "FROM ") })
	if end < 0 {
		return lines[begin:]
	}
	return lines[begin : begin+1+end]
}

var goBuild = regexp.MustCompile(`CGO_ENABLED=0 go build .*`)

// buildCommand is how a file builds the binary, with its version named VERSION.
func buildCommand(t *testing.T, file string) string {
	t.Helper()
	all := goBuild.FindAllString(read(t, file), -1)
	if len(all) != 1 {
		t.Fatalf("%s builds the binary by %q", file, all)
	}
	return strings.NewReplacer("$(VERSION)", "VERSION", "$VERSION", "VERSION").Replace(all[0])
}

func TestImage_IsBuiltAsTheMakefileBuilds(t *testing.T) {
	if a, b := buildCommand(t, "Dockerfile"), buildCommand(t, "Makefile"); a != b {
		t.Errorf("Dockerfile: %s\nMakefile:   %s", a, b)
	}
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, "go.mod"))[1]
	if from := stage(t, "AS binary")[0]; !strings.Contains(from, " golang:"+version+"-") {
		t.Errorf("go.mod says Go %s; %s", version, from)
	}
	if pages := strings.Join(stage(t, "AS pages"), "\n"); !strings.Contains(pages, "npm ci --no-fund --no-audit") || !strings.Contains(pages, "npm run build") {
		t.Errorf("pages are not built as by make:\n%s", pages)
	}
	if text := read(t, "Makefile"); !strings.Contains(text, "cd web && npm ci --no-fund --no-audit") || !strings.Contains(text, "cd web && npm run build") {
		t.Error("make builds pages in another way")
	}
}

func TestImage_HoldsTheBinaryAndRunsAsNobody(t *testing.T) {
	lines := stage(t, "scratch")
	for _, want := range []string{
		"COPY --from=binary /src/bin/anteroom /anteroom", "COPY --from=binary /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/",
		fmt.Sprintf("USER %d:%d", nobody, nobody), `ENTRYPOINT ["/anteroom"]`,
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no %s", want)
		}
	}
	p := compose(t)
	for _, line := range lines {
		if strings.HasPrefix(line, "HEALTHCHECK ") {
			if _, command, _ := strings.Cut(line, " CMD "); command != `["/anteroom", "ready"]` {
				t.Errorf("health is %s", command)
			}
		}
		if strings.HasPrefix(line, "RUN ") || strings.HasPrefix(line, "VOLUME ") {
			t.Errorf("from scratch nothing can run, and a volume would be one a container: %s", line)
		}
	}
	for _, name := range instances {
		if s := p.Services[name]; !slices.Equal(s.HealthCheck.Test, []string{"CMD", "/anteroom", "ready"}) || s.User != fmt.Sprintf("%d:%d", nobody, nobody) {
			t.Errorf("compose: health of %s is %v, its user %s", name, s.HealthCheck.Test, s.User)
		}
	}
}

// TestImage_RunsConfined does what the Dockerfile does with a folder: it copies what the Dockerfile copies, builds as it
// builds, and starts the result as the image's user, with a root that holds what the image holds and that it cannot write.
func TestImage_RunsConfined(t *testing.T) {
	source, image := t.TempDir(), t.TempDir()
	for _, line := range stage(t, "AS binary") {
		words := strings.Fields(line)
		if words[0] != "COPY" || strings.HasPrefix(words[1], "--from=pages") {
			continue
		}
		for _, from := range words[1 : len(words)-1] {
			copyShipped(t, from, source)
		}
	}
	if err := os.CopyFS(filepath.Join(source, "web/dist"), os.DirFS(filepath.Join(root, "web/dist"))); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(buildCommand(t, "Dockerfile"), "VERSION", "v9-test"))
	build.Dir = source
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("what the Dockerfile copies does not build: %v\n%s", err, out)
	}
	binary := filepath.Join(source, "bin/anteroom")
	isStatic(t, binary)
	hasNoTestLibraries(t)

	if err := os.Rename(binary, filepath.Join(image, "anteroom")); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(image, "data")
	for path, mode := range map[string]os.FileMode{data: 0o777, image: 0o555} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(image, 0o755) })
	c := &confined{root: image}
	if got := c.run(t, "version"); got != "anteroom v9-test\n" {
		t.Errorf("version: %q", got)
	}
	s := c.start(t, "serve", "--data", "/data", "--public-url", "https://visits.example.org", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--json")
	res, err := http.Get("http://" + s.admin + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("not ready: %s", res.Status)
	}
	http.DefaultClient.CloseIdleConnections()
	if got := c.run(t, "ready", "--admin", s.admin); got != "ready\n" {
		t.Errorf("it says of itself: %q", got)
	}
	s.stop(t)
	var found []string
	err = filepath.WalkDir(image, func(path string, _ fs.DirEntry, err error) error {
		if path == data {
			return fs.SkipDir
		}
		found = append(found, strings.TrimPrefix(path, image))
		return err
	})
	if want := []string{"", "/anteroom"}; err != nil || !slices.Equal(found, want) {
		t.Errorf("the root holds %q, %v", found, err)
	}
}

// copyShipped copies a file or folder of the project, without what .dockerignore keeps out of a build.
func copyShipped(t *testing.T, from, to string) {
	t.Helper()
	matches, err := filepath.Glob(filepath.Join(root, from))
	if err != nil || len(matches) == 0 {
		t.Fatalf("nothing is %s: %v", from, err)
	}
	ignore := read(t, ".dockerignore")
	for _, match := range matches {
		err := filepath.WalkDir(match, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			top, _, _ := strings.Cut(rel, "/")
			switch {
			case !strings.Contains(ignore, "\n!"+top+"\n"):
				return fmt.Errorf(".dockerignore keeps %s out", rel)
			case d.IsDir() && d.Name() == "testdata":
				return fs.SkipDir
			case d.IsDir():
				return os.MkdirAll(filepath.Join(to, rel), 0o755)
			case strings.HasSuffix(rel, "_test.go"):
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if err := os.MkdirAll(filepath.Join(to, filepath.Dir(rel)), 0o755); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(to, rel), text, 0o644)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func isStatic(t *testing.T, path string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	if err != nil || len(libraries) > 0 || slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Errorf("it is not static: %v, %v", libraries, err)
	}
}

// hasNoTestLibraries keeps what these tests need out of the server.
func hasNoTestLibraries(t *testing.T) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/anteroom")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, library := range []string{"github.com/compose-spec/", "k8s.io/", "sigs.k8s.io/"} {
		if strings.Contains(string(out), library) {
			t.Errorf("the server holds %s", library)
		}
	}
}

// confined runs programs in a folder that is their root, as the image's user and without any privilege: by root's right, or,
// for who has none, in a user namespace.
type confined struct{ root string }

func (c *confined) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/anteroom", args...)
	cmd.Dir, cmd.Env = "/", []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: c.root, Credential: &syscall.Credential{Uid: nobody, Gid: nobody, NoSetGroups: os.Geteuid() != 0}}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getegid(), Size: 1}}
	}
	return cmd
}

func (c *confined) run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := c.command(t, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%v: %v %s", args, err, errs.String())
	}
	return string(out)
}

// server is one that was started.
type server struct {
	cmd        *exec.Cmd
	url, admin string // where it says it is; HOST:PORT of the second
	log        *log
}

// log is a buffer that a process writes while a test reads.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (c *confined) start(t *testing.T, args ...string) *server {
	t.Helper()
	return started(t, c.command(t, args...))
}

// started starts a server and waits for its line.
func started(t *testing.T, cmd *exec.Cmd) *server {
	t.Helper()
	s := &server{cmd: cmd, log: &log{}}
	cmd.Stderr = s.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var ready struct{ Event, URL, Admin string }
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err != nil || ready.Event != "ready" {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Fatalf("no line that it is ready: %q, %v\n%s", line, err, s.log)
	}
	s.url, s.admin = ready.URL, strings.TrimPrefix(ready.Admin, "http://")
	return s
}

// stop ends it as Docker and Kubernetes do, within what they give it.
func (s *server) stop(t *testing.T) {
	t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(30*time.Second, func() { _ = s.cmd.Process.Kill() })
	defer kill.Stop()
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("it stopped with %v\n%s", err, s.log)
	}
}

func TestCompose_GivesTimeToStop(t *testing.T) {
	p := compose(t)
	most := regexp.MustCompile(`It takes (\d+) s at most`).FindStringSubmatch(read(t, "docs/operations.md"))
	if most == nil {
		t.Fatal("docs/operations.md does not say how long stopping takes")
	}
	seconds, err := strconv.Atoi(most[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range instances {
		if grace := p.Services[name].StopGracePeriod; grace == nil || time.Duration(*grace) < time.Duration(seconds+5)*time.Second {
			t.Errorf("%s is killed after %v, and stopping takes %d s", name, grace, seconds)
		}
	}
}
