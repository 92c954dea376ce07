// Package integration asks of a running server what the documents promise, through the second client and real
// media: the binary as a process of its own where it is killed and started again, the same packages wired in this
// process where faults are put in between.
package integration

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience is how long a test waits for what should come at once. It is long because machines are shared.
const patience = 30 * time.Second

// scratch is a folder that is gone after the tests.
var scratch string

func TestMain(m *testing.M) {
	if backends := os.Getenv(balancerOf); backends != "" { // this is the process of another test
		os.Exit(balance(strings.Split(backends, ",")))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "anteroom-integration-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	flag.Parse()
	life = beginLife()
	defer func() { life.stop() }()
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// binary builds the server under test, once; nextBinary one of a version that writes the next schema.
var (
	binary     = sync.OnceValues(func() (string, error) { return build("anteroom") })
	nextBinary = sync.OnceValues(func() (string, error) { return build("anteroom-next", "-tags", "schema2") })
)

func build(name string, flags ...string) (string, error) {
	path := filepath.Join(scratch, name)
	args := append(append([]string{"build"}, flags...), "-o", path, "github.com/anteroom/anteroom/cmd/anteroom")
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the server: %w: %s", err, out)
	}
	return path, nil
}

// within is a context that ends with the test or when patience does.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// must stops the test at an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// get stops the test at an error, and answers the value.
func get[T any](value T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return value
	}
}
