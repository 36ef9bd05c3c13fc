// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"testing"
	"unsafe"
)

func TestStateFitsItsBound(t *testing.T) {
	if n := unsafe.Sizeof(State{}); n > MaxSize {
		t.Fatalf("a state takes %d bytes, more than %d", n, MaxSize)
	} else {
		t.Logf("a state takes %d bytes", n)
	}
}
