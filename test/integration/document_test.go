package integration

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	protocolDocument = "../../docs/protocol.md"
	wirePackage      = "../../signaling/wire"
)

// wireSource is what package wire declares: constants by type, and the JSON fields of its structs.
type wireSource struct {
	constants map[string][]string
	fields    map[string][]string
}

func readWire(t *testing.T) wireSource {
	t.Helper()
	src := wireSource{constants: map[string][]string{}, fields: map[string][]string{}}
	files := get(filepath.Glob(wirePackage + "/*.go"))(t)
	for _, name := range files {
		file := get(parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution))(t)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				src.constant(n)
			case *ast.TypeSpec:
				src.structure(n)
			}
			return true
		})
	}
	if len(src.constants["Type"]) == 0 || len(src.fields["View"]) == 0 {
		t.Fatal("found nothing in package wire")
	}
	return src
}

func (s wireSource) constant(spec *ast.ValueSpec) {
	kind, ok := spec.Type.(*ast.Ident)
	if !ok || len(spec.Values) != 1 {
		return
	}
	literal, ok := spec.Values[0].(*ast.BasicLit)
	if !ok {
		return
	}
	name := kind.Name
	if name == "Type" && strings.HasPrefix(spec.Names[0].Name, "Event") {
		name = "Event"
	}
	s.constants[name] = append(s.constants[name], strings.Trim(literal.Value, `"`))
}

func (s wireSource) structure(spec *ast.TypeSpec) {
	structure, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	s.fields[spec.Name.Name] = []string{}
	for _, field := range structure.Fields.List {
		tag, _ := strconv.Unquote(field.Tag.Value)
		name, options, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		if options == "omitempty" {
			name += "?"
		}
		s.fields[spec.Name.Name] = append(s.fields[spec.Name.Name], name)
	}
}

var quoted = regexp.MustCompile("`([^`]+)`")

// table reads a section's first table: its first column's code words, and the text of the rest of each row.
func table(t *testing.T, section string) map[string]string {
	t.Helper()
	text := string(get(os.ReadFile(protocolDocument))(t))
	_, text, found := strings.Cut(text, "\n## "+section+"\n")
	if !found {
		t.Fatalf("no section %q", section)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	rows := map[string]string{}
	begun := false
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "|") {
			if begun {
				break
			}
			continue
		}
		begun = true
		cells := strings.SplitN(strings.Trim(strings.TrimSpace(line), "|"), "|", 2)
		for _, word := range words(cells[0]) {
			rows[word] = cells[1]
		}
	}
	return rows
}

// words are the code words of a text, or its number if it is one.
func words(text string) []string {
	if n := strings.TrimSpace(text); n != "" && strings.Trim(n, "0123456789") == "" {
		return []string{n}
	}
	var all []string
	for _, match := range quoted.FindAllStringSubmatch(text, -1) {
		all = append(all, match[1])
	}
	return all
}

func sameWords(t *testing.T, what string, documented, declared []string) {
	t.Helper()
	for _, word := range documented {
		if !slices.Contains(declared, word) {
			t.Errorf("%s %q is documented and not in package wire", what, word)
		}
	}
	for _, word := range declared {
		if !slices.Contains(documented, word) {
			t.Errorf("%s %q is in package wire and not documented", what, word)
		}
	}
}

func TestDocument_TablesAndWire_NameTheSame(t *testing.T) {
	src := readWire(t)
	for section, kind := range map[string]string{"Requests": "Type", "Events": "Event", "Errors": "Code", "Close codes": "CloseCode"} {
		sameWords(t, section, slices.Collect(maps.Keys(table(t, section))), src.constants[kind])
	}
}

func TestDocument_RefusalsAndDataOfRequests_AreKnown(t *testing.T) {
	src := readWire(t)
	for request, rest := range table(t, "Requests") {
		cells := strings.Split(rest, "|")
		if len(cells) != 4 {
			t.Errorf("%s: %d columns", request, len(cells)+1)
			continue
		}
		for _, name := range append(words(cells[1]), words(cells[2])...) {
			if _, known := src.fields[name]; !known && name != "{}" {
				t.Errorf("%s: no data %q", request, name)
			}
		}
		for _, code := range words(cells[3]) {
			if !slices.Contains(src.constants["Code"], code) && code != "by" {
				t.Errorf("%s: no code %q", request, code)
			}
		}
	}
}

func TestDocument_DataTable_HasEveryField(t *testing.T) {
	src := readWire(t)
	data := table(t, "Data")
	envelope := []string{"Request", "Reply", "Event", "Error", "Empty"} // told in the section on the envelope
	for name, fields := range src.fields {
		if slices.Contains(envelope, name) {
			continue
		}
		row, ok := data[name]
		if !ok {
			t.Errorf("%s is not in the table of data", name)
		}
		for _, field := range fields {
			if !slices.Contains(words(row), field) {
				t.Errorf("%s: field %q is not in the table of data", name, field)
			}
		}
	}
	for name := range data {
		if _, ok := src.fields[name]; !ok {
			t.Errorf("%s is in the table of data and not in package wire", name)
		}
	}
}

func TestDocument_ValuesOfFields_AreNamed(t *testing.T) {
	src := readWire(t)
	text := string(get(os.ReadFile(protocolDocument))(t))
	for _, kind := range []string{"Role", "SeatState", "Phase", "Link", "MediaState", "Disposition", "Device", "JoinedKind"} {
		if len(src.constants[kind]) == 0 {
			t.Errorf("package wire has no constants of type %s", kind)
		}
		for _, value := range src.constants[kind] {
			if !regexp.MustCompile(`\b` + value + `\b`).MatchString(text) {
				t.Errorf("%s %q is not in the document", kind, value)
			}
		}
	}
}
