package signaling

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/anteroom/anteroom/signaling/wire"
)

//go:generate go test -run TestMatrix -update .

var update = flag.Bool("update", false, "write testdata/matrix.md")

const (
	matrixFile = "testdata/matrix.md"
	again      = " again" // a second time on one connection
)

// documentedRequest is a row of docs/protocol.md on requests.
type documentedRequest struct {
	who     string
	command bool
	refused []string
}

var codeWord = regexp.MustCompile("`([^`]+)`")

func codeWords(text string) []string {
	var all []string
	for _, m := range codeWord.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// documentedRequests reads the table of requests, and the codes that every command and every request may answer.
func documentedRequests(t *testing.T) (rows map[wire.Type]documentedRequest, ofCommands, ofAll []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Requests\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows = map[wire.Type]documentedRequest{}
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if names := codeWords(cells[0]); len(cells) == 5 && len(names) == 1 {
			rows[wire.Type(names[0])] = documentedRequest{
				who: strings.TrimSpace(cells[1]), command: strings.Contains(cells[0], "`*"), refused: codeWords(cells[4]),
			}
		}
	}
	_, note, _ := strings.Cut(section, "Every command may also answer")
	commands, all, found := strings.Cut(note, "every request")
	all, _, ended := strings.Cut(all, "\n\n")
	if !found || !ended {
		t.Fatal("the document does not say what every command and every request may answer")
	}
	return rows, codeWords(commands), codeWords(all)
}

// may tells whether the document lets a role send a request.
func (d documentedRequest) may(t *testing.T, r role) bool {
	t.Helper()
	switch d.who {
	case "all", "all, first", "all in a visit":
		return true
	case "seats":
		return !r.staff
	case "clinician, staff":
		return r.staff
	}
	t.Fatalf("the document says that %q may", d.who)
	return false
}

// Every message of the protocol as everybody in every state: each is either done or answered with a code that the document
// names for it. What is answered is in testdata/matrix.md, to be read with a change of it.
func TestMatrix_EveryRequestInEveryStateAsEverybody(t *testing.T) {
	rows, ofCommands, ofAll := documentedRequests(t)
	for kind := range rows {
		if _, ok := examples[kind]; !ok && kind != wire.TypeHello {
			t.Errorf("the matrix has no example of %q", kind)
		}
	}
	for kind := range maps.Keys(commands) {
		if _, ok := rows[kind]; !ok {
			t.Errorf("the server takes %q, which is not in the document", kind)
		}
	}
	if t.Failed() {
		return
	}
	kinds := []wire.Type{wire.TypeHello, wire.TypeHello + again}
	for _, kind := range slices.Sorted(maps.Keys(rows)) {
		if kind != wire.TypeHello {
			kinds = append(kinds, kind)
		}
	}
	results := newMatrix(t, kinds).run()
	for at, got := range results {
		kind := wire.Type(strings.TrimSuffix(string(at.kind), again))
		row := rows[kind]
		if got == done && !row.may(t, at.role) {
			t.Errorf("%v: done, and the document says that only %s may", at, row.who)
		}
		code := strings.Fields(got)[0]
		known := slices.Contains(row.refused, code) || slices.Contains(ofAll, code) || row.command && slices.Contains(ofCommands, code)
		if code != done && code != closed && !known && !at.refusedAtTheDoor(code, rows[wire.TypeHello]) {
			t.Errorf("%v: %q, which the document does not name", at, got)
		}
		if slices.Contains([]string{string(wire.CodeInternal), string(wire.CodeUnknownType), string(wire.CodeBadMessage), string(wire.CodeRetry)}, code) {
			t.Errorf("%v: %q", at, got)
		}
	}
	compare(t, table(kinds, results))
}

// refusedAtTheDoor tells whether the code is hello's: then nothing else is heard.
func (c cell) refusedAtTheDoor(code string, hello documentedRequest) bool {
	return !c.role.staff && slices.Contains(hello.refused, code)
}

// table is the matrix for people.
func table(kinds []wire.Type, results map[cell]string) string {
	var b strings.Builder
	b.WriteString("# What is answered to every request\n\nWritten by `go generate ./signaling`; a test holds it true. Columns are the person's own state for those who come by\n" +
		"a link, the patient's for staff. `code 40xx`: refused at hello and closed; `closed 40xx`: welcomed and closed.\n")
	for _, r := range roles {
		fmt.Fprintf(&b, "\n## %s\n\n| request |", r.name)
		for _, s := range r.situations() {
			fmt.Fprintf(&b, " %s |", s)
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(r.situations())) + "\n")
		for _, kind := range kinds {
			fmt.Fprintf(&b, "| `%s` |", kind)
			for _, s := range r.situations() {
				fmt.Fprintf(&b, " %s |", results[cell{r, s, kind}])
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func compare(t *testing.T, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(matrixFile, []byte(got), 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	wanted := strings.Split(string(want), "\n")
	lines := strings.Split(got, "\n")
	for i := range max(len(wanted), len(lines)) {
		if i >= len(wanted) || i >= len(lines) || wanted[i] != lines[i] {
			t.Errorf("%s:%d is stale (go generate ./signaling)\nwas %s\nis  %s", matrixFile, i+1, lineAt(wanted, i), lineAt(lines, i))
		}
	}
}

func lineAt(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}

// Data that is not a request's own is refused as such, whoever sends it.
func TestMatrix_WrongDataOfEveryRequest(t *testing.T) {
	w := newWorld(t, nil)
	rows, _, _ := documentedRequests(t)
	patient, _ := w.open(w.visit("Maria"))
	doctor, _ := w.open(w.staff())
	for kind := range rows {
		if kind == wire.TypePing || kind == wire.TypeHello {
			continue // ping's data is not read; hello is in TestHello_IsRefused
		}
		for _, data := range []any{map[string]int{"nothing_of_ours": 1}, []int{1}, "text", map[string]any{"visit": 1}} {
			for who, p := range map[string]*page{"patient": patient, "clinician": doctor} {
				if got := code(p.ask(kind, data, nil)); got != wire.CodeBadMessage {
					t.Errorf("%s of %s with %v: %q", kind, who, data, got)
				}
			}
		}
	}
}
