// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"syscall"
	"testing"
	"time"
)

// A terminal that vanishes without a word is found by the kernel's probes; what
// is checked here is that both legs ask for them, as often as configured.
func TestKeepAliveOnBothLegs(t *testing.T) {
	for _, keepAlive := range []time.Duration{80 * time.Second, -1} {
		t.Run(keepAlive.String(), func(t *testing.T) {
			c, _, _ := forwarded(t, keepAlive)
			for i, leg := range []*leg{c.terminal, c.host} {
				on := option(t, leg, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE) != 0
				if on != (keepAlive > 0) {
					t.Fatalf("leg %d: probes %v", i, on)
				}
				if !on {
					continue
				}
				idle := option(t, leg, syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE)
				interval := option(t, leg, syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL)
				count := option(t, leg, syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT)
				if idle != 80 || interval != 20 || count != 3 {
					t.Fatalf("leg %d: %d probes after %d s, every %d s; want 3, 80, 20", i, count, idle, interval)
				}
			}
		})
	}
}

func option(t *testing.T, l *leg, level, name int) int {
	t.Helper()
	raw, err := l.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var value int
	var failed error
	if err := raw.Control(func(fd uintptr) { value, failed = syscall.GetsockoptInt(int(fd), level, name) }); err != nil {
		t.Fatal(err)
	}
	if failed != nil {
		t.Fatal(failed)
	}
	return value
}
