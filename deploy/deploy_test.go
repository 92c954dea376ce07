// Package deploy_test holds what is shipped for running a server, and the page on it, to what the server is: the image,
// docker-compose.yml, and the Kubernetes manifests.
//
// No container engine and no cluster is needed: files are loaded by the libraries that define their formats, settings are
// read by the server's own parser, and what can run as a process of this machine does.
package deploy_test

import (
	"context"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"go.uber.org/goleak"

	"github.com/anteroom/anteroom/internal/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// root is the project's folder.
const root = ".."

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// serve is what a server makes of an environment: it fails for a name that is no setting, and for whatever the server refuses.
func serve(t *testing.T, env map[string]string) *config.Serve {
	t.Helper()
	var grammar struct {
		Serve config.Serve `cmd:""`
	}
	p, err := kong.New(&grammar, kong.DefaultEnvars(config.EnvPrefix))
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, f := range p.Model.Children[0].Flags {
		known = append(known, f.Envs...)
	}
	for name, value := range env {
		if !slices.Contains(known, name) {
			t.Errorf("%s is no setting", name)
		}
		t.Setenv(name, value)
	}
	if _, err := p.Parse([]string{"serve"}); err != nil {
		t.Fatalf("the server refuses its settings: %v", err)
	}
	return &grammar.Serve
}

// fileSettings are settings that name a file of secrets, with that file's name.
func fileSettings(env map[string]string) map[string]string {
	files := map[string]string{}
	for _, name := range []string{"SECRET", "ROOT_KEY", "SEAL_KEYS", "REDIS_PASSWORD_FILE"} {
		if path := env["ANTEROOM_"+name]; path != "" {
			files["ANTEROOM_"+name] = path
		}
	}
	return files
}

// differing are the names whose values are not the same everywhere.
func differing(all ...map[string]string) []string {
	names := map[string]bool{}
	for _, one := range all {
		for name, value := range one {
			for _, other := range all {
				if v, ok := other[name]; !ok || v != value {
					names[name] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func fields(s string) string { return strings.Join(strings.Fields(s), " ") }

// dialing connects to one address, whatever is asked for.
func dialing(address string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}
}
