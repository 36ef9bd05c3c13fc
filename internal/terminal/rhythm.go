// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"math"
	"time"
)

// The rhythm of a terminal is, for each hour of the week, how likely it is to
// speak in it. Every hour that passes moves its value a step towards one if the
// terminal spoke, towards zero if it did not.
const (
	rhythmOne  = 255
	rhythmStep = 3 // a third of the way each week: three weeks reach 70 %
	week       = 7 * 24 * time.Hour
)

// hourOf gives the hour of the week of a time in its own zone, Sunday 00 first.
func hourOf(t time.Time) int {
	return int(t.Weekday())*24 + t.Hour()
}

// keepRhythm moves the profile on to at, the time of a new event.
func (s *State) keepRhythm(at time.Time) {
	if s.Last == 0 {
		s.lively(hourOf(at))
		return
	}
	last := s.Last.Time(at.Location())
	if !at.After(last) || last.Truncate(time.Hour).Equal(at.Truncate(time.Hour)) {
		return
	}
	hour := last.Truncate(time.Hour).Add(time.Hour)
	for range hoursOfWeek { // a longer absence says nothing about the rhythm
		if !hour.Before(at.Truncate(time.Hour)) {
			break
		}
		h := hourOf(hour)
		s.Hours[h] -= s.Hours[h] / rhythmStep
		hour = hour.Add(time.Hour)
	}
	s.lively(hourOf(at))
}

func (s *State) lively(h int) {
	s.Hours[h] += (rhythmOne - s.Hours[h]) / rhythmStep
}

// SilenceOdds gives the probability that a terminal in good order would have
// been silent from its last event until now, by its own rhythm; one if nothing
// was to be expected. known is false as long as the terminal has not been
// watched for a week: then no rhythm is known and silence says nothing.
func (s *State) SilenceOdds(now time.Time) (odds float64, known bool) {
	if s.Last == 0 || s.Last-s.First < Millis(week/time.Millisecond) {
		return 1, false
	}
	loc := s.Location()
	hour := s.Last.Time(loc).Truncate(time.Hour).Add(time.Hour)
	end := now.In(loc).Truncate(time.Hour) // the hour that runs is not over
	logOdds := 0.0
	for range hoursOfWeek {
		if !hour.Before(end) {
			break
		}
		logOdds += math.Log1p(-s.speaks(hourOf(hour)))
		hour = hour.Add(time.Hour)
	}
	return math.Exp(logOdds), true
}

// speaks gives the probability that the terminal speaks in an hour of the week,
// never quite one. With less than two weeks seen, the same hour of other days
// counts as well.
func (s *State) speaks(h int) float64 {
	const most = 0.98
	own := float64(s.Hours[h]) / rhythmOne
	if s.Last-s.First >= Millis(2*week/time.Millisecond) {
		return min(own, most)
	}
	quiet := 1.0
	for day := range 7 {
		quiet *= 1 - float64(s.Hours[day*24+h%24])/rhythmOne
	}
	return min(max(own, (1-quiet)/2), most)
}
