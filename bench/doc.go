// SPDX-License-Identifier: Apache-2.0

// Package bench compares the decoder of [github.com/tillmend/tillmend/iso8583] with a
// widely used one, [github.com/moov-io/iso8583], on the same message in the same run.
//
// It is a module of its own, so that the program does not depend on what it is compared
// with. The comparison is fair in this sense: the other library gets only the message
// without its frame, a specification of exactly the same fields, and a message object
// that is used again. It is measured twice, as it comes and with a hand-made codec for
// packed digits, because the stock one builds a table for every field it reads.
//
// The two do not do the same. The other library makes a value of every field, which can
// be changed and written again; ours finds where the fields lie, leaves the bytes where
// they are, and copies what the diagnosis needs. That is the point: a tap only reads. The
// ratios compare that copying too, not decoding alone.
package bench
