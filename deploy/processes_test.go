package deploy_test

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// madeSecrets is what an operator's folder holds.
func madeSecrets(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "secrets")
	if out, err := makeSecrets(t, folder).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	return folder
}

func makeSecrets(t *testing.T, folder string) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(t.Context(), "sh", filepath.Join(root, "deploy/compose/secrets"), folder)
}

func TestSecrets_AreMadeOnce_ForOneOwner(t *testing.T) {
	folder := madeSecrets(t)
	info, err := os.Stat(folder)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("%v %v", info, err)
	}
	first := map[string]string{}
	for _, name := range []string{"redis-password", "root-key", "seal-keys", "secret"} {
		path := filepath.Join(folder, name)
		text, err := os.ReadFile(path)
		info, err2 := os.Stat(path)
		if err != nil || err2 != nil || info.Mode().Perm() != 0o444 {
			t.Fatalf("%s: %v %v %v", name, info, err, err2)
		}
		first[name] = string(text)
	}
	out, err := makeSecrets(t, folder).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "certificate.pem is missing") {
		t.Errorf("%v %s", err, out)
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != len(first) {
		t.Errorf("%v %v", entries, err)
	}
	for name, text := range first {
		again, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || string(again) != text {
			t.Errorf("%s was made anew: %v", name, err)
		}
		if strings.Contains(string(out), strings.TrimSpace(text)) {
			t.Errorf("%s was printed", name)
		}
	}
}

// startRedis is the service redis, at a port of this machine.
func startRedis(t *testing.T, secrets, port string) {
	t.Helper()
	script := filepath.Join(root, "deploy/compose/redis")
	env := append(os.Environ(), "REDIS_PASSWORD_FILE="+filepath.Join(secrets, "redis-password"), "REDIS_PORT="+port, "REDIS_DIR="+t.TempDir())
	cmd := exec.CommandContext(t.Context(), "sh", script)
	cmd.Env = env
	said := &log{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // sh has become it
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(30 * time.Second); ; {
		ping := exec.CommandContext(t.Context(), "sh", script, "ping")
		ping.Env = env
		if ping.Run() == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("Redis is not up: %s", said)
		}
	}
	if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid)); err == nil {
		password, _ := os.ReadFile(filepath.Join(secrets, "redis-password"))
		if strings.Contains(string(line), strings.TrimSpace(string(password))) {
			t.Error("the password is in the list of processes")
		}
	}
	anybody := exec.CommandContext(t.Context(), "redis-cli", "-p", port, "ping")
	if out, err := anybody.CombinedOutput(); strings.TrimSpace(string(out)) != "NOAUTH Authentication required." {
		t.Errorf("without a password: %s %v", out, err)
	}
}

// TestCompose_AsProcesses starts what docker-compose.yml says, with its own scripts, files and settings, as processes of this
// machine: each instance in a root of its own that holds the binary and its secrets, and that it cannot write.
func TestCompose_AsProcesses(t *testing.T) {
	secrets := madeSecrets(t)
	redis := freePort(t)
	startRedis(t, secrets, redis)
	binary := filepath.Join(t.TempDir(), "anteroom")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", binary, "./cmd/anteroom")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	p := compose(t)
	servers, addresses := map[string]*server{}, map[string]string{}
	var roots []string
	for _, name := range instances {
		s := p.Services[name]
		c := &confined{root: t.TempDir()}
		roots = append(roots, c.root)
		copyFile(t, binary, filepath.Join(c.root, "anteroom"), 0o555)
		for _, secret := range s.Secrets {
			copyFile(t, filepath.Join(secrets, secret.Source), filepath.Join(c.root, secret.Target), 0o444)
		}
		if err := os.MkdirAll(filepath.Join(c.root, "data"), 0o555); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(c.root, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(c.root, 0o755) })
		addresses[name] = "127.0.0.1:" + freePort(t)
		env := environment(t, s)
		for setting, value := range map[string]string{ // the networks' addresses
			"LISTEN": addresses[name], "PROXIES": "127.0.0.1", "ADMIN": "127.0.0.1:0", "MEDIA": "127.0.0.1:0", "REDIS": "127.0.0.1:" + redis, "HOP": "127.0.0.1:0",
		} {
			env["ANTEROOM_"+setting] = value
		}
		delete(env, "ANTEROOM_HOP_ADVERTISE") // where it listens
		cmd := c.command(t, "serve", "--data", "/data")
		for setting, value := range env {
			cmd.Env = append(cmd.Env, setting+"="+value)
		}
		servers[name] = started(t, cmd)
		if got := c.run(t, "ready", "--admin", servers[name].admin); got != "ready\n" {
			t.Errorf("%s says %q of itself", name, got)
		}
	}
	b := startBalancer(t, "visits.example.org", addresses)

	rootKey, err := os.ReadFile(filepath.Join(secrets, "root-key"))
	if err != nil {
		t.Fatal(err)
	}
	var clinic, key, room struct{ ID, Key string }
	b.post(t, strings.TrimSpace(string(rootKey)), "clinics", `{"name":"Riverside Clinic"}`, &clinic)
	b.post(t, strings.TrimSpace(string(rootKey)), "clinics/"+clinic.ID+"/keys", `{"name":"Scheduling"}`, &key)
	b.post(t, key.Key, "rooms", `{"name":"Family Medicine"}`, &room)
	for i := range 9 { // whichever it comes to
		var visit struct{ ID string }
		b.post(t, key.Key, "visits", fmt.Sprintf(`{"room":%q,"externalId":"appointment-%d","patient":{"name":"Alex Morgan","birthDate":"1984-03-12"}}`, room.ID, i), &visit)
		if visit.ID == "" {
			t.Error("a visit without an ID")
		}
	}
	servers["a"].stop(t)
	for i := range 9 {
		var visit struct{ ID string }
		b.post(t, key.Key, "visits", fmt.Sprintf(`{"room":%q,"externalId":"appointment-%d","patient":{"name":"Alex Morgan","birthDate":"1984-03-12"}}`, room.ID, 100+i), &visit)
	}
	for _, name := range instances[1:] {
		servers[name].stop(t)
	}
	for i, name := range instances {
		if said := servers[name].log.String(); strings.Contains(said, "store_may_lose_data") {
			t.Errorf("%s finds fault with Redis: %s", name, said)
		}
		holds(t, roots[i], "/anteroom", "/run/secrets/redis-password", "/run/secrets/root-key", "/run/secrets/seal-keys", "/run/secrets/secret")
	}
}

// post asks the REST API through the balancer until it is done, as any client of it has to: 503 says to send the same again.
func (b *balancer) post(t *testing.T, key, path, body string, out any) {
	t.Helper()
	client := b.client()
	for deadline := time.Now().Add(30 * time.Second); ; {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+b.name+"/v1/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer "+key)
		q.Header.Set("Content-Type", "application/json")
		res, err := client.Do(q)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		text, err := io.ReadAll(res.Body)
		res.Body.Close()
		switch {
		case err != nil:
			t.Fatal(err)
		case res.StatusCode == http.StatusServiceUnavailable && time.Now().Before(deadline):
			continue
		case res.StatusCode >= 300:
			t.Fatalf("%s: %s %s", path, res.Status, text)
		}
		if err := json.Unmarshal(text, out); err != nil {
			t.Fatal(err)
		}
		return
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l := listen(t)
	defer l.Close()
	_, port, _ := strings.Cut(l.Addr().String(), ":")
	return port
}

func copyFile(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o755)
	}
	if err == nil {
		err = os.WriteFile(to, text, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// holds compares the files of a folder.
func holds(t *testing.T, folder string, want ...string) {
	t.Helper()
	var found []string
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, strings.TrimPrefix(path, folder))
		}
		return err
	})
	if err != nil || !slices.Equal(found, want) {
		t.Errorf("%s holds %q, %v", folder, found, err)
	}
}
