// SPDX-License-Identifier: Apache-2.0

package console

import (
	"sync"
	"time"

	"github.com/tillmend/tillmend/internal/diagnosis"
)

// fleet is the diagnoses of all terminals, made at most once in leastGap however
// many pages ask for them: judging must not take the machine from the payments.
// What live tells of is always in it, since live waits as long before it tells.
type fleet struct {
	source Source

	mu   sync.Mutex // held while the list is made, so that others wait for it
	made time.Time  // when making it began, by the machine's own clock
	list []diagnosis.Diagnosis
}

// all gives the list, which must not be changed.
func (f *fleet) all() []diagnosis.Diagnosis {
	f.mu.Lock()
	defer f.mu.Unlock()
	if began := time.Now(); f.made.IsZero() || began.Sub(f.made) >= leastGap {
		f.list, f.made = f.source.Terminals(), began
	}
	return f.list
}
