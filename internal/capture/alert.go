// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"crypto/tls"
	"strings"
)

// A TLS record begins with its type, the version and its length.
const (
	tlsHeader   = 5
	tlsAlert    = 21
	alertSize   = 2 // in clear: its level and what it says; an encrypted one is longer
	closeNotify = 0 // the alert that says goodbye
)

// isTLS reports whether a stream that begins with b is one of TLS records.
func isTLS(b []byte) bool {
	return len(b) >= tlsHeader && b[0] >= 20 && b[0] <= 23 && b[1] == 3 && b[2] <= 4
}

// alert reads the TLS alert that b consists of or ends with, if it is in clear. The
// alert that closes a connection in good order is none.
func alert(b []byte) (text string, ok bool) {
	for isTLS(b) {
		size := int(b[3])<<8 | int(b[4])
		if b[0] == tlsAlert && size == alertSize && len(b) >= tlsHeader+alertSize {
			level, what := b[5], b[6]
			if (level == 1 || level == 2) && what != closeNotify {
				return strings.TrimPrefix(tls.AlertError(what).Error(), "tls: "), true
			}
		}
		if len(b) < tlsHeader+size {
			break
		}
		b = b[tlsHeader+size:]
	}
	return "", false
}
