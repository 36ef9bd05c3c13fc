// SPDX-License-Identifier: Apache-2.0

package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
)

//go:embed assets
var assetFiles embed.FS

// assetTypes are the kinds of files that are served.
var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// assets serves style, script and icon. Their address holds their hash, so that
// they may be kept for ever and a new version is a new address.
type assets struct {
	address map[string]string // by file name
	files   map[string]asset  // by address
}

type asset struct {
	kind string
	text []byte
}

func loadAssets() (*assets, error) {
	a := &assets{address: map[string]string{}, files: map[string]asset{}}
	list, err := fs.ReadDir(assetFiles, "assets")
	if err != nil {
		return nil, fmt.Errorf("list assets: %w", err)
	}
	for _, f := range list {
		text, err := assetFiles.ReadFile("assets/" + f.Name())
		if err != nil {
			return nil, fmt.Errorf("read asset: %w", err)
		}
		kind, ok := assetTypes[path.Ext(f.Name())]
		if !ok {
			return nil, fmt.Errorf("asset %s: no content type for %q", f.Name(), path.Ext(f.Name()))
		}
		sum := sha256.Sum256(text)
		const digits = 6 // bytes of hash: enough to tell versions apart
		address := "/assets/" + hex.EncodeToString(sum[:digits]) + "/" + f.Name()
		a.address[f.Name()], a.files[address] = address, asset{kind, text}
	}
	return a, nil
}

// ServeHTTP implements [http.Handler].
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(f.text) // the client is gone if this fails
}
