package api

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html
var docsHTML string

//go:embed docs.css
var docsCSS []byte

// docs serves the description, and a page made from it that loads nothing from elsewhere and runs no script.
func docs(mux *http.ServeMux, o *huma.OpenAPI) error {
	description, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return fmt.Errorf("api: describe: %w", err)
	}
	t, err := template.New("docs").Parse(docsHTML)
	if err != nil {
		return fmt.Errorf("api: docs: %w", err)
	}
	var page bytes.Buffer
	if err := t.Execute(&page, describe(o)); err != nil {
		return fmt.Errorf("api: docs: %w", err)
	}
	serve := func(path, contentType string, content []byte) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h.Set("Content-Type", contentType)
			h.Set("Cache-Control", "no-cache")
			h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
			_, _ = w.Write(content)
		})
	}
	serve("/openapi.json", "application/vnd.oai.openapi+json;version=3.1", description)
	serve("/docs", "text/html; charset=utf-8", page.Bytes())
	serve("/docs.css", "text/css; charset=utf-8", docsCSS)
	return nil
}

// What the page shows.
type (
	docsPage struct {
		Title, Version, Description string
		Groups                      []docsGroup
		Types                       []docsType
	}
	docsGroup struct {
		Name       string
		Operations []docsOperation
	}
	docsOperation struct {
		ID, Method, Path, Summary, Description, Body, Answer string
		Key                                                  bool
		Parameters                                           []docsField
	}
	docsType struct {
		Name   string
		Fields []docsField
	}
	docsField struct {
		Name, In, Type, Description string
		Required                    bool
	}
)

func describe(o *huma.OpenAPI) docsPage {
	page := docsPage{Title: o.Info.Title, Version: o.Info.Version, Description: o.Info.Description}
	groups := map[string]int{}
	for path, item := range sorted(o.Paths) {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			tag := op.Tags[0]
			if _, ok := groups[tag]; !ok {
				groups[tag] = len(page.Groups)
				page.Groups = append(page.Groups, docsGroup{Name: tag})
			}
			g := &page.Groups[groups[tag]]
			g.Operations = append(g.Operations, describeOperation(path, op))
		}
	}
	for name, schema := range sorted(o.Components.Schemas.Map()) {
		if schema.Type == huma.TypeObject {
			page.Types = append(page.Types, docsType{Name: name, Fields: fieldsOf(schema)})
		}
	}
	return page
}

func describeOperation(path string, op *huma.Operation) docsOperation {
	d := docsOperation{
		ID: op.OperationID, Method: op.Method, Path: path, Summary: op.Summary, Description: op.Description,
		Key: len(op.Security) > 0,
	}
	for _, p := range op.Parameters {
		d.Parameters = append(d.Parameters, docsField{
			Name: p.Name, In: p.In, Type: typeName(p.Schema), Description: p.Description, Required: p.Required,
		})
	}
	if op.RequestBody != nil {
		d.Body = typeName(op.RequestBody.Content["application/json"].Schema)
	}
	for status, r := range op.Responses {
		if c := r.Content["application/json"]; status[0] == '2' && c != nil {
			d.Answer = typeName(c.Schema)
		}
	}
	return d
}

func fieldsOf(schema *huma.Schema) []docsField {
	var fields []docsField
	for name, f := range sorted(schema.Properties) {
		fields = append(fields, docsField{
			Name: name, Type: typeName(f), Description: f.Description, Required: slices.Contains(schema.Required, name),
		})
	}
	return fields
}

// typeName is a schema in a word, the last part of a reference being the name of a type on the page.
func typeName(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	case s.Type == huma.TypeArray:
		return typeName(s.Items) + "[]"
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, e := range s.Enum {
			words[i] = fmt.Sprint(e)
		}
		return strings.Join(words, " | ")
	case s.Format != "":
		return s.Type + " (" + s.Format + ")"
	}
	return s.Type
}

// sorted yields a map by its keys.
func sorted[V any](m map[string]V) func(func(string, V) bool) {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return func(yield func(string, V) bool) {
		for _, k := range keys {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}
