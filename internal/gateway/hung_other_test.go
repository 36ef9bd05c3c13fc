// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package gateway_test

import "testing"

// hungAddress needs a listener whose full queue drops connection attempts.
func hungAddress(t testing.TB) string {
	t.Helper()
	t.Skip("only Linux lets a connection attempt to loopback hang")
	return ""
}
