package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

// built is a small dist as the build leaves it.
var built = fstest.MapFS{
	".keep":               {},
	".vite/manifest.json": {Data: []byte("{}")},
	"join.html":           {Data: []byte("<!doctype html><title>join</title>" + strings.Repeat(" ", 500))},
	"staff.html":          {Data: []byte("<title>staff</title>")},
	"try.html":            {Data: []byte("<title>try</title>")},
	"example.html":        {Data: []byte("<title>example</title>")},
	"assets/join-1a2b.js": {Data: []byte("export {}")},
	"lib/anteroom.js":     {Data: []byte("export {}")},
	"lib/anteroom.d.ts":   {Data: []byte("export {}")},
}

func get(t *testing.T, o Options, path string, header ...string) *http.Response {
	t.Helper()
	if o.Files == nil {
		o.Files = built
	}
	h, err := Handler(o)
	noError(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	noError(t, err)
	return string(b)
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, want, got T) {
	t.Helper()
	if want != got {
		t.Errorf("got %v, want %v", got, want)
	}
}

func contains(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("%q does not contain %q", text, part)
	}
}

func TestHandler_EachRoute_ItsPage(t *testing.T) {
	for _, c := range []struct {
		path, kind, has string
		dev             bool
		status          int
	}{
		{path: "/join", status: 200, kind: "text/html", has: "join"},
		{path: "/visit/h1", status: 200, kind: "text/html", has: "join"},
		{path: "/visit/", status: 404},
		{path: "/visit/h1/more", status: 404},
		{path: "/staff", status: 200, kind: "text/html", has: "staff"},
		{path: "/staff/h2", status: 200, kind: "text/html", has: "staff"},
		{path: "/", dev: true, status: 200, kind: "text/html", has: "try"},
		{path: "/", status: 200, kind: "text/html", has: "link that your clinic sent"},
		{path: "/try.html", status: 404},
		{path: "/example.html", status: 404},
		{path: "/example.html", dev: true, status: 200, kind: "text/html", has: "example"},
		{path: "/assets/join-1a2b.js", status: 200, kind: "text/javascript"},
		{path: "/assets/gone.js", status: 404},
		{path: "/lib/anteroom.js", status: 200, kind: "text/javascript"},
		{path: "/lib/anteroom.d.ts", status: 200, kind: "text/plain"},
		{path: "/.keep", status: 404},
		{path: "/.vite/manifest.json", status: 404},
	} {
		t.Run(c.path, func(t *testing.T) {
			r := get(t, Options{Dev: c.dev}, c.path)
			equal(t, c.status, r.StatusCode)
			if c.status == http.StatusOK {
				contains(t, r.Header.Get("Content-Type"), c.kind)
				contains(t, text(t, r), c.has)
			}
		})
	}
}

func TestHandler_EveryAnswer_CarriesSecurityHeaders(t *testing.T) {
	for _, path := range []string{"/join", "/assets/join-1a2b.js", "/nowhere"} {
		h := get(t, Options{}, path).Header
		equal(t, ContentSecurityPolicy, h.Get("Content-Security-Policy"))
		equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		equal(t, "no-referrer", h.Get("Referrer-Policy"))
	}
	if strings.Contains(ContentSecurityPolicy, "unsafe") {
		t.Error("the policy allows inline script or style")
	}
}

func TestHandler_Caching_AssetsForeverPagesRevalidated(t *testing.T) {
	contains(t, get(t, Options{}, "/assets/join-1a2b.js").Header.Get("Cache-Control"), "immutable")

	first := get(t, Options{}, "/join")
	equal(t, "no-cache", first.Header.Get("Cache-Control"))
	again := get(t, Options{}, "/join", "If-None-Match", first.Header.Get("ETag"))
	equal(t, http.StatusNotModified, again.StatusCode)
	equal(t, "", text(t, again))
}

func TestHandler_Gzip_OnlyWhereItHelpsAndIsAsked(t *testing.T) {
	zipped := get(t, Options{}, "/join", "Accept-Encoding", "br, gzip")
	equal(t, "gzip", zipped.Header.Get("Content-Encoding"))
	plain, err := gzip.NewReader(zipped.Body)
	noError(t, err)
	b, err := io.ReadAll(plain)
	noError(t, err)
	equal(t, string(built["join.html"].Data), string(b))
	if zipped.Header.Get("ETag") == get(t, Options{}, "/join").Header.Get("ETag") {
		t.Error("both encodings have one ETag")
	}

	tiny := get(t, Options{}, "/lib/anteroom.js", "Accept-Encoding", "gzip")
	equal(t, "", tiny.Header.Get("Content-Encoding"))
}

func TestHandler_Library_LoadsFromOtherSites(t *testing.T) {
	equal(t, "*", get(t, Options{}, "/lib/anteroom.js").Header.Get("Access-Control-Allow-Origin"))
	equal(t, "", get(t, Options{}, "/join").Header.Get("Access-Control-Allow-Origin"))
}

func TestHandler_NothingBuilt_SaysHow(t *testing.T) {
	r := get(t, Options{Dev: true, Files: fstest.MapFS{".keep": {}}}, "/")
	equal(t, http.StatusServiceUnavailable, r.StatusCode)
	equal(t, "no-store", r.Header.Get("Cache-Control"))
	contains(t, text(t, r), "make build")
}

func TestHandler_Post_IsRefused(t *testing.T) {
	h, err := Handler(Options{Files: built})
	noError(t, err)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/join", nil))
	equal(t, http.StatusMethodNotAllowed, w.Code)
}
