// Package web holds the browser pages and the client library, as built by Vite into dist, and serves
// them with the headers they need.
//
// It owns the routes of pages and files and their caching. It knows nothing of visits, cookies or
// tokens: a page asks the API for those.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files returns the built pages, rooted at dist. It holds no page before `make build` has run.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		// Only an invalid path can fail here, and this one is constant and embedded above.
		return embed.FS{}
	}
	return files
}
