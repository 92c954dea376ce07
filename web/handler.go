package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// ContentSecurityPolicy is what every page is served with: all script and style is ours and in files.
const ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; " +
	"img-src 'self' data: blob:; media-src 'self' blob: mediastream:; connect-src 'self' ws: wss:; " +
	"worker-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; " +
	"frame-ancestors 'none'"

const permissionsPolicy = "camera=(self), microphone=(self), display-capture=(self), " +
	"screen-wake-lock=(self), autoplay=(self), geolocation=(), payment=(), usb=()"

// Options say how to serve the pages. The zero value serves the built-in files for production.
type Options struct {
	// Dev shows the try-it page at / and the example page at /example.html.
	Dev bool
	// Files replaces the built-in files; nil: Files().
	Files fs.FS
}

// devOnly are files that a clinic's patients have no use for.
var devOnly = map[string]bool{"try.html": true, "example.html": true, "example.js": true}

// Handler serves the pages, their assets and the library. It reads and compresses every file once,
// now; an error means that o.Files cannot be read. It answers GET and HEAD only.
func Handler(o Options) (http.Handler, error) {
	files := o.Files
	if files == nil {
		files = Files()
	}
	loaded, err := load(files)
	if err != nil {
		return nil, fmt.Errorf("read the web pages: %w", err)
	}

	mux := http.NewServeMux()
	add := func(pattern string, f *file) {
		mux.Handle("GET "+pattern, f)
	}
	for name, f := range loaded {
		if o.Dev || !devOnly[name] {
			add("/"+name, f)
		}
	}
	join, staff, start := page(loaded, "join.html"), page(loaded, "staff.html"), startPage()
	if o.Dev {
		start = page(loaded, "try.html")
	}
	add("/{$}", start)
	add("/join", join)
	add("/visit/{handle}", join)
	add("/staff", staff)
	add("/staff/{handle}", staff)
	return withHeaders(mux), nil
}

// withHeaders sets what every answer carries, errors included.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", ContentSecurityPolicy)
		h.Set("Permissions-Policy", permissionsPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// file is one answer, ready in both encodings.
type file struct {
	status      int
	contentType string
	cache       string
	anyOrigin   bool // other sites may load it (the library)
	plain       body
	gzipped     body // empty where it would not be smaller
}

type body struct {
	bytes []byte
	etag  string
}

func newFile(name string, content []byte) *file {
	f := &file{
		status:      http.StatusOK,
		contentType: contentType(name),
		cache:       "no-cache",
		plain:       newBody(content),
	}
	switch {
	case strings.HasPrefix(name, "assets/"):
		// The name carries a hash of the content.
		f.cache = "public, max-age=31536000, immutable"
	case strings.HasPrefix(name, "lib/"):
		f.anyOrigin = true
	}
	if small := compress(content); len(small) < len(content) {
		f.gzipped = newBody(small)
	}
	return f
}

func newBody(content []byte) body {
	sum := sha256.Sum256(content)
	return body{bytes: content, etag: `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// ServeHTTP answers with the file, or 304 where the browser has it (RFC 9110 section 13.1.2).
func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", f.cache)
	h.Add("Vary", "Accept-Encoding")
	if f.anyOrigin {
		h.Set("Access-Control-Allow-Origin", "*")
	} else {
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
	}
	b := f.plain
	if len(f.gzipped.bytes) > 0 && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		b = f.gzipped
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", b.etag)
	if f.status != http.StatusOK {
		w.WriteHeader(f.status)
		_, _ = w.Write(b.bytes) // a client that went away is its own business
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b.bytes))
}

// load reads every file that is served under its own name; hidden ones are the build's.
func load(files fs.FS) (map[string]*file, error) {
	loaded := map[string]*file{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if hidden := strings.HasPrefix(path.Base(name), ".") && name != "."; hidden {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.IsDir() {
			return nil
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		loaded[name] = newFile(name, content)
		return nil
	})
	return loaded, err
}

// page finds a built page, or says how to build it.
func page(loaded map[string]*file, name string) *file {
	if f, ok := loaded[name]; ok {
		return f
	}
	f := newFile(name, []byte(notBuilt))
	f.status = http.StatusServiceUnavailable
	f.cache = "no-store"
	return f
}

func startPage() *file { return newFile("start.html", []byte(start)) }

// contentType knows the types of our build; the system's table differs from machine to machine.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".ts":
		return "text/plain; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".webmanifest":
		return "application/manifest+json"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

func compress(content []byte) []byte {
	var out bytes.Buffer
	// The level is valid and a buffer takes every write, so none of the three can fail.
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	_, _ = w.Write(content)
	_ = w.Close()
	return out.Bytes()
}

const notBuilt = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>The pages are not built</title>
<h1>The pages are not built</h1>
<p>This binary holds no web pages. Run <code>make build</code> and start it again.</p>
</html>
`

const start = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Video visits</title>
<h1>Video visits</h1>
<p>To join your visit, open the link that your clinic sent you.</p>
</html>
`
