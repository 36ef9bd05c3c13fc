// SPDX-License-Identifier: Apache-2.0

//go:build !unix || plainsocket

package gateway_test

// plainSocket tells that the sockets of other systems are tested.
const plainSocket = true
