// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"fmt"

	"github.com/tillmend/tillmend/internal/txn"
)

// The parts of TLS that travel in clear (RFC 8446 section 5.1).
const (
	recordHeaderBytes = 5
	recordAlert       = 21
	recordData        = 23
	recordLowest      = 20 // change_cipher_spec
	recordHighest     = 24 // heartbeat
	recordMajor       = 3
	clearAlertBytes   = 2
	alertCloseNotify  = 0
	alertFatal        = 2
)

// alert is a TLS alert seen on the wire.
type alert struct {
	readable    bool
	level, code byte
}

// String gives the level, code and name of the alert, as far as they are readable.
func (a alert) String() string {
	if !a.readable {
		return "an encrypted alert before any data"
	}
	level := "warning"
	if a.level == alertFatal {
		level = "fatal"
	}
	name, ok := alertNames[a.code]
	if !ok {
		name = "unassigned"
	}
	return fmt.Sprintf("%s alert %d (%s)", level, a.code, name)
}

// records follows the TLS records of one direction by their headers. Bytes
// that are no TLS stop it.
type records struct {
	header  [recordHeaderBytes]byte
	body    [clearAlertBytes]byte
	have    int // bytes of the header seen
	left    int // bytes of the body to come
	stopped bool
	data    *bool // a record of application data was seen, in either direction
}

// scan takes the next bytes of the direction and calls found for every alert
// that means trouble: a readable one that is not close_notify, or an encrypted
// one before any application data. An encrypted alert after data is nearly
// always the close_notify of an orderly end, and is passed over.
func (r *records) scan(b []byte, found func(alert)) {
	for len(b) > 0 && !r.stopped {
		if r.have < recordHeaderBytes {
			n := copy(r.header[r.have:], b)
			r.have, b = r.have+n, b[n:]
			if r.have == recordHeaderBytes {
				r.begin(found)
			}
			continue
		}
		n := min(r.left, len(b))
		if r.header[0] == recordAlert && r.length() == clearAlertBytes {
			copy(r.body[clearAlertBytes-r.left:], b[:n])
		}
		r.left, b = r.left-n, b[n:]
		r.end(found)
	}
}

func (r *records) length() int { return int(r.header[3])<<8 | int(r.header[4]) }

// begin judges a complete header.
func (r *records) begin(found func(alert)) {
	kind := r.header[0]
	r.stopped = kind < recordLowest || kind > recordHighest || r.header[1] != recordMajor
	r.left = r.length()
	*r.data = *r.data || kind == recordData
	if !r.stopped && kind == recordAlert && r.left != clearAlertBytes && !*r.data {
		found(alert{})
	}
	r.end(found)
}

// end goes on to the next header when the body is complete.
func (r *records) end(found func(alert)) {
	if r.left > 0 || r.stopped {
		return
	}
	r.have = 0
	if r.header[0] == recordAlert && r.length() == clearAlertBytes && r.body[1] != alertCloseNotify {
		found(alert{readable: true, level: r.body[0], code: r.body[1]})
	}
}

// sender names the side that sends in a direction.
func sender(dir txn.Direction) string {
	if dir == txn.ToHost {
		return "terminal"
	}
	return "host"
}

// alertNames are the registered TLS alerts (RFC 8446 section 6, RFC 5246
// section 7.2, and the IANA registry of TLS alerts).
var alertNames = map[byte]string{
	0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 21: "decryption_failed", 22: "record_overflow",
	30: "decompression_failure", 40: "handshake_failure", 41: "no_certificate", 42: "bad_certificate", 43: "unsupported_certificate",
	44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca",
	49: "access_denied", 50: "decode_error", 51: "decrypt_error", 60: "export_restriction", 70: "protocol_version",
	71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled", 100: "no_renegotiation",
	109: "missing_extension", 110: "unsupported_extension", 111: "certificate_unobtainable", 112: "unrecognized_name",
	113: "bad_certificate_status_response", 114: "bad_certificate_hash_value", 115: "unknown_psk_identity",
	116: "certificate_required", 120: "no_application_protocol",
}
