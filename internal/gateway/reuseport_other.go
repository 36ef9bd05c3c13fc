// SPDX-License-Identifier: Apache-2.0

//go:build !linux || mips || mipsle || mips64 || mips64le

package gateway

import (
	"errors"
	"syscall"
)

const reusePortSupported = false

// reusePort is never reached: [Config.Validate] refuses ReusePort here.
func reusePort(_, _ string, _ syscall.RawConn) error {
	return errors.ErrUnsupported
}
