package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

//go:generate go test -run TestOperations -update .

var update = flag.Bool("update", false, "write the generated part of docs/operations.md")

const (
	operations    = "../../docs/operations.md"
	settingsBegin = "<!-- generated from the configuration by go generate ./cmd/anteroom -->\n"
	limitsBegin   = "<!-- generated from the limits by go generate ./cmd/anteroom -->\n"
	generatedEnd  = "<!-- end of the generated part -->\n"
)

func flagsOf(t *testing.T, command string) []*kong.Flag {
	t.Helper()
	p, err := newParser(&cli{}, io.Discard, io.Discard, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range p.Model.Children {
		if n.Name == command {
			return n.Flags
		}
	}
	t.Fatalf("no command %s", command)
	return nil
}

func TestHelp_NamesEverySettingAndItsVariable(t *testing.T) {
	var out bytes.Buffer
	if code := run(t.Context(), []string{"serve", "--help"}, &out, io.Discard); code != 0 {
		t.Fatalf("code %d", code)
	}
	help := strings.Join(strings.Fields(out.String()), " ")
	for _, f := range flagsOf(t, "serve") {
		if !strings.Contains(help, "--"+f.Name) && !strings.Contains(help, "--[no-]"+f.Name) {
			t.Errorf("--%s is not in the help", f.Name)
		}
		if len(f.Envs) != 1 || !strings.HasPrefix(f.Envs[0], "ANTEROOM_") || !strings.Contains(help, "$"+f.Envs[0]) {
			t.Errorf("--%s: variable %v is not in the help", f.Name, f.Envs)
		}
		if f.Help == "" {
			t.Errorf("--%s has no words", f.Name)
		}
	}
}

func TestHelp_OfEveryCommand(t *testing.T) {
	for _, command := range []string{"", "visit", "visit create", "visit list", "visit cancel", "token", "token staff", "token api", "ready", "version"} {
		var out bytes.Buffer
		if code := run(t.Context(), append(strings.Fields(command), "--help"), &out, io.Discard); code != 0 || !strings.Contains(out.String(), "Usage: anteroom") {
			t.Errorf("%s --help: %d %s", command, code, out.String())
		}
	}
}

// reference is the table of settings.
func reference(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| flag, YAML | environment | meaning |\n|---|---|---|\n")
	for _, f := range flagsOf(t, "serve") {
		name := "`--" + f.Name + "`"
		if f.Negated {
			name += ", `--no-" + f.Name + "`"
		}
		if !f.IsBool() && f.PlaceHolder != "" {
			name = "`--" + f.Name + " " + f.FormatPlaceHolder() + "`"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", strings.ReplaceAll(name, "|", "\\|"), f.Envs[0], strings.ReplaceAll(f.Help, "|", "\\|"))
	}
	return b.String()
}

func TestOperations_TableIsThatOfTheConfiguration(t *testing.T) {
	documented(t, settingsBegin, reference(t))
}

// documented compares what stands behind a mark in docs/operations.md with what should, or writes it.
func documented(t *testing.T, begin, want string) {
	t.Helper()
	text, err := os.ReadFile(operations)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(text), begin)
	old, after, ok2 := strings.Cut(rest, generatedEnd)
	if !ok1 || !ok2 {
		t.Fatal("the marks of the generated part are missing")
	}
	if *update {
		if err := os.WriteFile(operations, []byte(before+begin+want+generatedEnd+after), 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
		return
	}
	if old != want {
		t.Errorf("docs/operations.md is stale: go generate ./cmd/anteroom")
	}
}
