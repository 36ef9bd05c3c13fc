// SPDX-License-Identifier: Apache-2.0

package pipeline_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tillmend/tillmend/internal/knowledge"
	"github.com/tillmend/tillmend/internal/pipeline"
)

// FuzzRestore: any file is either a snapshot, or an error that says so.
func FuzzRestore(f *testing.F) {
	b, err := knowledge.Default()
	if err != nil {
		f.Fatal(err)
	}
	g := pipeline.New(b, "")
	for n := 1; n <= 3; n++ {
		g.Apply(sale(n, "00"))
	}
	var good bytes.Buffer
	if err := g.Snapshot(&good); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add(good.Bytes()[:40])
	f.Add([]byte("nothing of the kind"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := pipeline.New(b, "").Restore(bytes.NewReader(data)); err != nil && !errors.Is(err, pipeline.ErrSnapshot) {
			t.Error(err)
		}
	})
}
