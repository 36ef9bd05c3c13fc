// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tillmend/tillmend/iso8583"
)

var (
	errAnswerLost = errors.New("sim: the answer was lost")
	errMuted      = errors.New("sim: connected and sent nothing")
	errMAC        = errors.New("sim: the MAC of the answer is wrong")
)

// errNotSent marks a message that did not go out, so that nothing need be taken back.
type errNotSent struct{ cause error }

func (e errNotSent) Error() string { return "sim: not sent: " + e.cause.Error() }
func (e errNotSent) Unwrap() error { return e.cause }

// exchange sends one message and waits for its answer. Answers that belong to
// something else are dropped without a word, as terminals do.
func (t *Terminal) exchange(ctx context.Context, d iso8583.Draft, lose bool) (*iso8583.Message, error) {
	out, err := seal(d, t.macKey())
	if err != nil {
		return nil, errNotSent{err}
	}
	w, err := t.connect(ctx)
	if err != nil {
		return nil, errNotSent{err}
	}
	m, err := t.talk(ctx, w, d, out, lose)
	if err != nil || !t.cfg.Long {
		t.conn = nil
		if closing := w.Close(); closing != nil && err == nil {
			err = fmt.Errorf("sim: close: %w", closing)
		}
	}
	return m, err
}

// macKey is the MAC key; before a sign-in there is none, and a lenient terminal uses zeros.
func (t *Terminal) macKey() []byte {
	if len(t.keys.mac) == 0 {
		return make([]byte, macKeySize)
	}
	return t.keys.mac
}

// connect gives the connection for the next message.
func (t *Terminal) connect(ctx context.Context) (*wire, error) {
	if t.conn != nil {
		return t.conn, nil
	}
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	c, err := t.cfg.Dial(ctx, t.cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("sim: terminal %q: %w", t.cfg.TID, err)
	}
	w := newWire(c)
	if t.cfg.Long {
		t.conn = w
	}
	return w, nil
}

// talk writes the message and reads until its answer.
func (t *Terminal) talk(ctx context.Context, w *wire, d iso8583.Draft, out []byte, lose bool) (*iso8583.Message, error) {
	if t.Habits.Mute {
		return nil, errNotSent{errMuted}
	}
	if err := w.SetDeadline(time.Now().Add(t.cfg.Timeout)); err != nil {
		return nil, errNotSent{err}
	}
	stop := context.AfterFunc(ctx, func() { _ = w.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if n, err := w.Write(out); err != nil {
		if n == 0 {
			return nil, errNotSent{err}
		}
		return nil, fmt.Errorf("sim: send: %w", err)
	}
	for {
		b, err := w.next()
		if err == io.EOF { //nolint:errorlint // next gives io.EOF as it is
			return nil, fmt.Errorf("sim: no answer: %w", io.ErrUnexpectedEOF)
		}
		if err != nil {
			return nil, fmt.Errorf("sim: no answer: %w", err)
		}
		m := new(iso8583.Message)
		if !m.Decode(upos(), b) {
			return nil, fmt.Errorf("sim: answer: %w", m.Malformed())
		}
		if !answers(m, d) {
			continue
		}
		if lose {
			return nil, errAnswerLost
		}
		return m, nil
	}
}

// answers tells whether a message is the answer to what was sent: its type follows and
// what both name is the same.
func answers(m *iso8583.Message, d iso8583.Draft) bool {
	want := int64(m.MTI())
	var asked int64
	if _, err := fmt.Sscanf(d.MTI, "%x", &asked); err != nil || want != asked|0x10 {
		return false
	}
	for _, de := range []int{3, 4, 11, 41, 42} {
		if sent, ok := d.Fields[de]; ok && m.Has(de) && m.Text(de) != sent {
			return false
		}
	}
	return true
}
