// SPDX-License-Identifier: Apache-2.0

package console

import (
	"strconv"
	"strings"
	"time"
)

// Stamp is a point in time as a page shows it.
type Stamp struct {
	Text string // clock time, with as much of the date as is needed
	ISO  string // for machines
	Full string // with date and zone, shown on demand
}

// stamp puts a time into words, in its own zone. Zero gives the zero Stamp.
func stamp(at, now time.Time) Stamp {
	if at.IsZero() {
		return Stamp{}
	}
	layout := "2006-01-02 15:04"
	today := now.In(at.Location())
	switch {
	case at.Year() == today.Year() && at.YearDay() == today.YearDay():
		layout = "15:04:05"
	case at.Year() == today.Year():
		layout = "01-02 15:04"
	}
	return Stamp{at.Format(layout), at.Format(time.RFC3339), at.Format("2006-01-02 15:04:05 -07:00")}
}

// zone names the zone of a time, such as UTC+08:00.
func zone(loc *time.Location, now time.Time) string {
	return "UTC" + now.In(loc).Format("-07:00")
}

// duration puts a length of time into plain words with at most two units.
func (t *tongue) duration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Second:
		return t.T("time.moment")
	case d < time.Minute:
		return t.T("time.seconds", "N", int(d/time.Second))
	case d < time.Hour:
		return t.T("time.minutes", "N", int(d/time.Minute))
	case d < day:
		return t.units("time.hours", int(d/time.Hour), "time.minutes", int(d%time.Hour/time.Minute))
	}
	return t.units("time.days", int(d/day), "time.hours", int(d%day/time.Hour))
}

func (t *tongue) units(big string, n int, small string, m int) string {
	if m == 0 {
		return t.T(big, "N", n)
	}
	return t.T(big, "N", n) + " " + t.T(small, "N", m)
}

// money writes an amount of minor units (fen) in yuan. The record keeps no
// currency: the networks that are watched settle in yuan.
func money(minor int64) string {
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	const fen = 100
	cents := strconv.FormatInt(minor%fen, 10)
	if len(cents) < 2 {
		cents = "0" + cents
	}
	return sign + "¥" + thousands(minor/fen) + "." + cents
}

// thousands writes a count with commas.
func thousands[T int | int64 | uint64](n T) string {
	digits := strconv.FormatInt(int64(n), 10)
	head := len(digits) % 3
	parts := make([]string, 0, len(digits)/3+1)
	if head > 0 {
		parts = append(parts, digits[:head])
	}
	for i := head; i < len(digits); i += 3 {
		parts = append(parts, digits[i:i+3])
	}
	return strings.Join(parts, ",")
}

// sixDigits writes trace and batch numbers as slips do; empty for zero.
func sixDigits(n uint32) string {
	if n == 0 {
		return ""
	}
	const width = 6
	s := strconv.FormatUint(uint64(n), 10)
	return strings.Repeat("0", max(0, width-len(s))) + s
}
