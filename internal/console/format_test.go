// SPDX-License-Identifier: Apache-2.0

package console

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	c, err := loadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	for d, want := range map[time.Duration][2]string{
		0:                                 {"不到 1 秒", "under a second"},
		time.Hour + time.Minute:           {"1 小时 1 分钟", "1 h 1 min"},
		59 * time.Second:                  {"59 秒", "59 s"},
		42*time.Minute + 59*time.Second:   {"42 分钟", "42 min"},
		3*time.Hour + 5*time.Minute:       {"3 小时 5 分钟", "3 h 5 min"},
		24 * time.Hour:                    {"1 天", "1 day"},
		50*time.Hour + 59*time.Minute:     {"2 天 2 小时", "2 days 2 h"},
		400*24*time.Hour + 30*time.Second: {"400 天", "400 days"},
	} {
		for i, lang := range languages {
			if got := c.in(lang).duration(d); got != want[i] {
				t.Errorf("%v in %s: %q, want %q", d, lang, got, want[i])
			}
		}
	}
}

func TestMoney(t *testing.T) {
	for minor, want := range map[int64]string{
		0: "¥0.00", 5: "¥0.05", 1234: "¥12.34", 100000: "¥1,000.00", 123456789: "¥1,234,567.89", -50: "-¥0.50",
	} {
		if got := money(minor); got != want {
			t.Errorf("%d: %q, want %q", minor, got, want)
		}
	}
}

func TestStampShowsAsMuchOfTheDateAsIsNeeded(t *testing.T) {
	zone := time.FixedZone("", 8*60*60)
	now := time.Date(2026, 6, 2, 17, 0, 0, 0, time.UTC) // already the 3rd at the terminal
	for at, want := range map[time.Time]string{
		time.Date(2026, 6, 3, 0, 30, 5, 0, zone):    "00:30:05",
		time.Date(2026, 6, 2, 23, 59, 0, 0, zone):   "06-02 23:59",
		time.Date(2025, 12, 31, 23, 59, 0, 0, zone): "2025-12-31 23:59",
		{}: "",
	} {
		if got := stamp(at, now).Text; got != want {
			t.Errorf("%v: %q, want %q", at, got, want)
		}
	}
}
