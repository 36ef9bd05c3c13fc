// SPDX-License-Identifier: Apache-2.0

package console

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/tillmend/tillmend/internal/estate"
	"github.com/tillmend/tillmend/internal/terminal"
	"github.com/tillmend/tillmend/internal/txn"
)

// eventBody is what the page of one record shows.
type eventBody struct {
	ID          string
	Terminal    string
	TerminalURL string
	Title       string
	Tone        string
	At          Stamp
	Zone        string
	Outcome     string
	Code        string
	Meanings    []codeMeaning
	Fields      []field
	Missing     []string // names of fields that this record does not have
}

// codeMeaning is what a response code means in one layer.
type codeMeaning struct{ Layer, Title, Note string }

// field is one field of a record.
type field struct {
	Key   string // as in the stored record
	Name  string
	Value string
	Note  string // what the value means
}

// event is the page of one record.
func (c *console) event(q *request) (*page, error) {
	id, ok := terminal.ParseEventID(q.PathValue("id"))
	if !ok {
		return nil, errLost
	}
	e, err := c.Source.Event(q.Context(), id)
	if errors.Is(err, ErrNoEvent) {
		return nil, errLost
	}
	if err != nil {
		return nil, fmt.Errorf("console: read event %s: %w", id, err)
	}
	b := eventBody{
		ID: id.String(), Terminal: string(e.Terminal), TerminalURL: terminalURL(e.Terminal), At: stamp(e.At(), q.now),
		Zone: zone(e.At().Location(), q.now),
	}
	switch {
	case e.Attempt != nil:
		c.describeAttempt(q, &b, e.Attempt)
	case e.Link != nil:
		b.Title, b.Tone = q.T("event.link", "What", q.T("link."+e.Link.Kind.String())), "plain"
		b.Fields, b.Missing = fieldsOf(q.tongue, *e.Link)
	}
	return &page{Template: "event", Title: b.ID + " " + b.Title, Nav: "terminals", Body: b}, nil
}

func (c *console) describeAttempt(q *request, b *eventBody, a *txn.Attempt) {
	b.Title, b.Outcome = q.T("kind."+a.Kind.String()), q.T("outcome."+a.Outcome.String())
	b.Tone, b.Code = tone(a.Outcome), a.Code
	b.Fields, b.Missing = fieldsOf(q.tongue, *a)
	if a.Code == "" {
		return
	}
	for _, in := range c.Base.Codes(a.Code, c.Acquirer) {
		b.Meanings = append(b.Meanings, codeMeaning{q.layer(in.Layer), in.Title.In(q.code), in.Note.In(q.code)})
	}
}

// always are the fields whose zero value says something.
var always = map[string]bool{"kind": true, "outcome": true, "timing": true}

// fieldsOf names every field of a record, an attempt or a connection event: those
// that it has with their values, the others by name.
func fieldsOf(t *tongue, record any) (list []field, missing []string) {
	v := reflect.ValueOf(record)
	for i := range v.NumField() {
		key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		name := t.T("field." + key)
		value := v.Field(i).Interface()
		if amount, ok := value.(int64); ok && amount < 0 || v.Field(i).IsZero() && !always[key] {
			missing = append(missing, name)
			continue
		}
		f := field{Key: key, Name: name}
		f.Value, f.Note = t.value(key, value)
		list = append(list, f)
	}
	return list, missing
}

// value writes the value of a field as a person reads it, and what it means.
func (t *tongue) value(key string, value any) (text, note string) {
	switch v := value.(type) {
	case time.Time:
		return v.Format("2006-01-02 15:04:05.000 -07:00"), ""
	case time.Duration:
		return v.String(), ""
	case txn.Kind:
		return v.String(), t.T("kind." + v.String())
	case txn.Outcome:
		return v.String(), t.T("outcome." + v.String())
	case txn.Timing:
		return v.String(), t.T("timing." + v.String())
	case txn.LinkKind:
		return v.String(), t.T("link." + v.String())
	case txn.Hardware:
		return fmt.Sprintf("%05b / %05b", v.Known, v.Faulty), t.hardware(v)
	case txn.Original:
		return strings.Join(strings.Fields(sixDigits(v.Batch)+" "+sixDigits(v.STAN)+" "+v.Date), " · "), t.T("field.original.note")
	case estate.TerminalID, estate.MerchantID, string:
		return fmt.Sprint(v), ""
	case int64:
		return fmt.Sprint(v), money(v)
	}
	return t.number(key, value)
}

// number writes the fields that are numbers on the wire.
func (t *tongue) number(key string, value any) (text, note string) {
	switch v := value.(type) {
	case uint32: // trace and batch numbers
		return sixDigits(v), ""
	case uint16:
		if key == "entry" {
			return fmt.Sprintf("%03d", v), t.entry(v)
		}
	case uint8:
		if key == "host_order" {
			return fmt.Sprint(v), t.T("order." + fmt.Sprint(v))
		}
		if key == "balanced" {
			return fmt.Sprint(v), t.T("balanced." + fmt.Sprint(v))
		}
	}
	return fmt.Sprint(value), ""
}

// entries are the ways of entering a card that have a name, by the first two
// digits of DE22.
var entries = map[uint16]string{1: "01", 2: "02", 3: "03", 5: "05", 7: "07", 80: "80", 90: "90", 91: "91"}

// entry says how a card was entered, and whether with a PIN.
func (t *tongue) entry(de22 uint16) string {
	const digits = 10 // the last one tells about the PIN
	key, ok := entries[de22/digits]
	if !ok {
		return ""
	}
	words := []string{t.T("entry." + key)}
	switch de22 % digits {
	case 1:
		words = append(words, t.T("entry.pin"))
	case 2:
		words = append(words, t.T("entry.nopin"))
	}
	return t.list(words)
}
