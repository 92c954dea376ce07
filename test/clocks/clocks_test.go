// Package clocks holds docs/testing.md to the code: whatever waits or is dated has a row in its table of time.
package clocks

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// beside are folders whose code does not run where people are: tests, tools and what they make.
var beside = []string{"bin", "test", "tools", "scripts", "internal/tsgen", "rooms/store/storetest", "rooms/store/redistest", "web/node_modules", "web/dist", "web/client/testing"}

// reads are how often each source file reads a clock or sets a timer, by its path.
func reads(t *testing.T) map[string]int {
	t.Helper()
	found := map[string]int{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, root+"/"))
		if d.IsDir() {
			if slices.Contains(beside, name) || strings.HasPrefix(d.Name(), ".") && path != root {
				return fs.SkipDir
			}
			return nil
		}
		var n int
		switch {
		case strings.HasSuffix(name, "_test.go"), strings.Contains(name, ".test."), d.Name() == "testing.ts":
		case strings.HasSuffix(name, ".go"):
			n, err = readsOfGo(path)
		case strings.HasPrefix(name, "web/") && (strings.HasSuffix(name, ".ts") || strings.HasSuffix(name, ".tsx")):
			n, err = readsOfTypeScript(path)
		}
		if n > 0 {
			found[name] = n
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 20 {
		t.Fatalf("only %d files found", len(found))
	}
	return found
}

var (
	clockOfGo     = regexp.MustCompile(`^(time\.(Now|Since|Until|After|AfterFunc|NewTimer|NewTicker|Tick|Sleep)|context\.With(Timeout|Deadline).*)$`)
	deadlineOfGo  = regexp.MustCompile(`^Set(Read|Write)?Deadline$`)
	clockOfScript = regexp.MustCompile(`\b(setTimeout|setInterval|requestAnimationFrame|Date\.now|performance\.now|new Date|AbortSignal\.timeout)\(`)
	comments      = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)
)

func readsOfGo(path string) (n int, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return 0, err
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.SelectorExpr:
			of, _ := node.X.(*ast.Ident)
			if deadlineOfGo.MatchString(node.Sel.Name) || of != nil && clockOfGo.MatchString(of.Name+"."+node.Sel.Name) {
				n++
			}
		case *ast.KeyValueExpr: // of http.Server and the like
			if key, ok := node.Key.(*ast.Ident); ok && strings.HasSuffix(key.Name, "Timeout") {
				n++
			}
		}
		return true
	})
	return n, nil
}

func readsOfTypeScript(path string) (int, error) {
	text, err := os.ReadFile(path)
	return len(clockOfScript.FindAll(comments.ReplaceAll(text, nil), -1)), err
}

// row is one of the table: where something waits or is dated, how often a clock is read there for it, and what tests it.
type row struct {
	name  string
	where map[string]int
	tests []string
}

var (
	place    = regexp.MustCompile("`([^`]+)` (\\d+)")
	testName = regexp.MustCompile("`([^`]+)`")
)

func table(t *testing.T) (rows []row) {
	t.Helper()
	text, err := os.ReadFile(root + "/docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Time\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || strings.HasPrefix(cells[0], "---") || strings.TrimSpace(cells[0]) == "what" {
			continue
		}
		r := row{name: strings.TrimSpace(cells[0]), where: map[string]int{}}
		for _, m := range place.FindAllStringSubmatch(cells[2], -1) {
			n, _ := strconv.Atoi(m[2])
			r.where[m[1]] += n
		}
		for _, m := range testName.FindAllStringSubmatch(cells[3], -1) {
			r.tests = append(r.tests, m[1])
		}
		rows = append(rows, r)
	}
	return rows
}

func TestTime_WhateverWaitsIsInTheTable(t *testing.T) {
	written := map[string]int{}
	for _, r := range table(t) {
		if len(r.where) == 0 {
			t.Errorf("%q is nowhere", r.name)
		}
		for file, n := range r.where {
			written[file] += n
		}
	}
	code := reads(t)
	all := maps.Clone(written)
	maps.Copy(all, code)
	for _, file := range slices.Sorted(maps.Keys(all)) {
		if code[file] != written[file] {
			t.Errorf("%s reads a clock or sets a timer %d times, docs/testing.md says %d: add what waits to the table 'Time', and what tests it",
				file, code[file], written[file])
		}
	}
}

func TestTime_WhateverWaitsIsTested(t *testing.T) {
	known := tests(t)
	for _, r := range table(t) {
		if len(r.tests) == 0 {
			t.Errorf("nothing tests %q", r.name)
		}
		for _, name := range r.tests {
			start, all := strings.CutSuffix(name, "*")
			if !slices.ContainsFunc(known, func(test string) bool { return test == name || all && strings.HasPrefix(test, start) }) {
				t.Errorf("%q: there is no test %s", r.name, name)
			}
		}
	}
}

var testFunc = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

// tests are the names of Go's tests and the paths of the web client's.
func tests(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, root+"/"))
		switch {
		case d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && path != root):
			return fs.SkipDir
		case strings.Contains(name, ".test."):
			names = append(names, name)
		case strings.HasSuffix(name, "_test.go"):
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range testFunc.FindAllSubmatch(text, -1) {
				names = append(names, string(m[1]))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestReads_FindsWhatItIsFor(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]int{
		"a.go": 6, // as many as below
		"b.ts": 3,
	} {
		text := map[string]string{
			"a.go": `package a
				var now = time.Now // time.Since in a comment
				func f(c conn) { time.AfterFunc(1, nil); context.WithTimeoutCause(nil, 1, nil); c.SetReadDeadline(time.Now()); _ = http.Server{ReadTimeout: 1} }
				func (c conn) SetReadDeadline(t time.Time) {}`,
			"b.ts": "let t: ReturnType<typeof setTimeout>; // setTimeout(\n/* Date.now() */ t = setTimeout(f, performance.now());\nnew Date(0); datenow(); at.setHours(0);",
		}[name]
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		read := readsOfGo
		if strings.HasSuffix(name, ".ts") {
			read = readsOfTypeScript
		}
		if got, err := read(path); err != nil || got != want {
			t.Errorf("%s: %s", name, fmt.Sprint(got, err))
		}
	}
}
