// Command tsgen writes the TypeScript types of package wire, comments included.
//
// It reads the Go source, so that constants become union types and nothing is said twice. It knows
// just what package wire uses (structs with json tags, string and number types, slices, maps,
// pointers, constants) and fails on anything else.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
)

func main() {
	in := flag.String("in", "signaling/wire", "folder of the Go package")
	out := flag.String("out", "", "file to write")
	flag.Parse()
	text, err := generate(*in)
	if err == nil {
		err = os.WriteFile(*out, text, 0o644) //nolint:gosec // a source file, meant to be read
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tsgen:", err)
		os.Exit(1)
	}
}

// generate answers the TypeScript for the package in folder dir.
func generate(dir string) ([]byte, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	sort.Strings(paths)
	g := &generator{members: map[string][]string{}, fset: token.NewFileSet()}
	var files []*ast.File
	for _, p := range paths {
		if strings.HasSuffix(p, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(g.fset, p, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	g.b.WriteString("// Generated from package signaling/wire by internal/tsgen. Do not edit: run 'make generate'.\n")
	for _, f := range files {
		g.constants(f)
	}
	for _, f := range files {
		g.types(f)
	}
	return g.b.Bytes(), g.err
}

type generator struct {
	b       bytes.Buffer
	fset    *token.FileSet
	members map[string][]string // type name to the literals of its constants
	err     error
}

// decls calls fn for each declaration of kind tok at the top level of f.
func decls(f *ast.File, tok token.Token, fn func(*ast.GenDecl)) {
	for _, d := range f.Decls {
		if gd, ok := d.(*ast.GenDecl); ok && gd.Tok == tok {
			fn(gd)
		}
	}
}

// constants writes constants and remembers which type each belongs to.
func (g *generator) constants(f *ast.File) {
	decls(f, token.CONST, func(gd *ast.GenDecl) {
		g.b.WriteString("\n")
		for _, s := range gd.Specs {
			v := s.(*ast.ValueSpec)
			value := g.source(v.Values[0])
			note := strings.TrimSpace(v.Comment.Text())
			if t, ok := v.Type.(*ast.Ident); ok {
				g.members[t.Name] = append(g.members[t.Name], member(value, note))
			}
			if strings.HasPrefix(value, `"`) {
				continue // the union of its type says it
			}
			g.comment("", "", v.Doc, v.Comment)
			fmt.Fprintf(&g.b, "export const %s = %s;\n", v.Names[0].Name, value)
		}
	})
}

// member is one line of a union, with what its constant's comment says.
func member(value, note string) string {
	if note == "" {
		return value
	}
	return value + " /* " + note + " */"
}

// types writes a union or an alias for a basic type and an interface for a struct.
func (g *generator) types(f *ast.File) {
	decls(f, token.TYPE, func(gd *ast.GenDecl) {
		for _, s := range gd.Specs {
			t := s.(*ast.TypeSpec)
			g.comment("\n", "", gd.Doc, t.Doc)
			st, ok := t.Type.(*ast.StructType)
			switch {
			case !ok && len(g.members[t.Name.Name]) > 0:
				fmt.Fprintf(&g.b, "export type %s =\n  | %s;\n", t.Name.Name, strings.Join(g.members[t.Name.Name], "\n  | "))
			case !ok:
				fmt.Fprintf(&g.b, "export type %s = %s;\n", t.Name.Name, g.typeOf(t.Type))
			case len(st.Fields.List) == 0:
				fmt.Fprintf(&g.b, "export type %s = Record<string, never>;\n", t.Name.Name)
			default:
				g.fields(t.Name.Name, st)
			}
		}
	})
}

func (g *generator) fields(name string, st *ast.StructType) {
	fmt.Fprintf(&g.b, "export interface %s {\n", name)
	for _, f := range st.Fields.List {
		if f.Tag == nil || len(f.Names) != 1 {
			g.fail(f, "a field needs one name and a json tag")
			continue
		}
		tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`"))
		key, options, _ := strings.Cut(tag.Get("json"), ",")
		optional := ""
		if strings.Contains(options, "omitempty") {
			optional = "?"
		}
		typ := tag.Get("tstype")
		if typ == "" {
			typ = g.typeOf(f.Type)
		}
		g.comment("", "  ", f.Doc, f.Comment)
		fmt.Fprintf(&g.b, "  %s%s: %s;\n", key, optional, typ)
	}
	g.b.WriteString("}\n")
}

func (g *generator) typeOf(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.Ident:
		switch t.Name {
		case "string":
			return "string"
		case "bool":
			return "boolean"
		case "int", "int64", "uint64", "float64":
			return "number"
		}
		return t.Name
	case *ast.ArrayType:
		return g.typeOf(t.Elt) + "[]"
	case *ast.MapType:
		return "Record<" + g.typeOf(t.Key) + ", " + g.typeOf(t.Value) + ">"
	case *ast.StarExpr:
		if inner := g.typeOf(t.X); inner != "Error" {
			return inner + " | null"
		}
		return "Error"
	}
	g.fail(e, "tsgen does not know this type")
	return "never"
}

// source answers the Go source of a constant's value; shifts and numbers are TypeScript as well.
func (g *generator) source(e ast.Expr) string {
	switch v := e.(type) {
	case *ast.BasicLit:
		return v.Value
	case *ast.BinaryExpr:
		return g.source(v.X) + " " + v.Op.String() + " " + g.source(v.Y)
	}
	g.fail(e, "tsgen does not know this value")
	return "0"
}

// comment writes the given comments as one JSDoc comment behind lead, each line indented.
func (g *generator) comment(lead, indent string, groups ...*ast.CommentGroup) {
	g.b.WriteString(lead)
	var lines []string
	for _, c := range groups {
		if text := strings.TrimSpace(c.Text()); text != "" {
			lines = append(lines, strings.Split(text, "\n")...)
		}
	}
	switch len(lines) {
	case 0:
	case 1:
		fmt.Fprintf(&g.b, "%s/** %s */\n", indent, lines[0])
	default:
		fmt.Fprintf(&g.b, "%s/**\n%s * %s\n%s */\n", indent, indent, strings.Join(lines, "\n"+indent+" * "), indent)
	}
}

func (g *generator) fail(n ast.Node, why string) {
	if g.err == nil {
		g.err = fmt.Errorf("%s: %s", g.fset.Position(n.Pos()), why)
	}
}
