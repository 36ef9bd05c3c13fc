// SPDX-License-Identifier: Apache-2.0

//go:build race

package gateway_test

// raceDetector tells that the race detector is on, which slows everything and
// bounds the number of goroutines to 8128.
const raceDetector = true
