package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGenerate_TheFileIsCurrent keeps the committed TypeScript from drifting away from the Go types.
func TestGenerate_TheFileIsCurrent(t *testing.T) {
	want, err := generate("../../signaling/wire")
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../../web/client/wire.gen.ts")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Error("web/client/wire.gen.ts is not what package signaling/wire says: run 'make generate'")
	}
}

func TestGenerate_WritesWhatTypeScriptNeeds(t *testing.T) {
	for name, tc := range map[string]struct{ source, want string }{
		"number": {
			"const Max = 64 << 10 // bytes",
			"/** bytes */\nexport const Max = 64 << 10;\n",
		},
		"union": {
			"// Role is a part.\ntype Role string\nconst (\nPatient Role = \"patient\"\nOther Role = \"other\" // not named\n)",
			"/** Role is a part. */\nexport type Role =\n  | \"patient\"\n  | \"other\" /* not named */;\n",
		},
		"struct": {
			"type Row struct {\nName string `json:\"name\"`\nAt *int64 `json:\"at\"`\nTags []string `json:\"tags,omitempty\"` // may be left out\n}",
			"export interface Row {\n  name: string;\n  at: number | null;\n  /** may be left out */\n  tags?: string[];\n}\n",
		},
		"empty struct": {
			"type Nothing struct{}",
			"export type Nothing = Record<string, never>;\n",
		},
		"type said by hand": {
			"type Raw struct {\nData any `json:\"data\" tstype:\"unknown\"`\n}",
			"export interface Raw {\n  data: unknown;\n}\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := generate(folder(t, tc.source))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(string(got), tc.want) {
				t.Errorf("got\n%s\nwant at its end\n%s", got, tc.want)
			}
		})
	}
}

func TestGenerate_RefusesWhatItDoesNotKnow(t *testing.T) {
	for name, source := range map[string]string{
		"a channel":           "type Bad struct {\nC chan int `json:\"c\"`\n}",
		"a field without tag": "type Bad struct {\nName string\n}",
		"an embedded struct":  "type Base struct{}\ntype Bad struct {\nBase `json:\"base\"`\n}",
		"a computed value":    "const Bad = len(\"four\")",
		"broken source":       "type Bad struct {",
	} {
		t.Run(name, func(t *testing.T) {
			if out, err := generate(folder(t, source)); err == nil {
				t.Errorf("no error, but\n%s", out)
			}
		})
	}
}

// folder holds a package of one file.
func folder(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "wire.go"), []byte("package wire\n\n"+source+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
