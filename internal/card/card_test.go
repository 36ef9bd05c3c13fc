// SPDX-License-Identifier: Apache-2.0

package card_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/tillmend/tillmend/internal/card"
)

// Two public test numbers; the hidden digits of the second one look like nothing else.
const (
	publicPAN  = "6200000000000005"
	tellingPAN = "3566002020360505"
)

func pan(t *testing.T, text string) card.PAN {
	t.Helper()
	p, ok := card.NewPAN([]byte(text))
	if !ok {
		t.Fatalf("NewPAN(%q) refused", text)
	}
	return p
}

func TestPANShowsTenDigitsAtMost(t *testing.T) {
	for _, tc := range []struct{ pan, want string }{
		{publicPAN, "620000******0005"},
		{"6205500000000000004", "620550*********0004"},
		{"62000000000005", "620000****0005"},
		{"6200000000005", "*********0005"},
		{"62000005", "****0005"},
	} {
		if got := pan(t, tc.pan).String(); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
	if got := (card.PAN{}).String(); got != "" {
		t.Errorf("no card prints %q", got)
	}
}

func TestNewPANRefusesWhatIsNoCardNumber(t *testing.T) {
	for _, text := range []string{"", "6200000", "62000000000000000005", "620000D000000005", "６２００００００"} {
		if _, ok := card.NewPAN([]byte(text)); ok {
			t.Errorf("accepted %q", text)
		}
	}
}

func TestRevealAndEqual(t *testing.T) {
	p := pan(t, publicPAN)
	if got := string(p.Reveal()); got != publicPAN {
		t.Errorf("Reveal gives %q", got)
	}
	if !p.Equal(pan(t, publicPAN)) || p.Equal(pan(t, "6200000000000013")) || p.Equal(card.PAN{}) {
		t.Error("Equal does not compare digits")
	}
	if !p.Present() || (card.PAN{}).Present() {
		t.Error("Present is wrong")
	}
}

// hidden holds card data where formatting cannot call methods.
type hidden struct {
	pan   card.PAN
	track card.Track
	ptr   *card.PAN
	list  []card.PAN
	table map[string]card.PAN
}

// TestNothingPrintsTheNumber formats every type in every way and looks for the hidden digits.
func TestNothingPrintsTheNumber(t *testing.T) {
	p := pan(t, tellingPAN)
	track := card.NewTrack(37)
	counter := card.NewCounter()
	values := []any{
		p, &p,
		[]card.PAN{p},
		map[string]card.PAN{"a": p},
		struct{ P card.PAN }{p},
		hidden{p, track, &p, []card.PAN{p}, map[string]card.PAN{"a": p}},
		&hidden{p, track, &p, []card.PAN{p}, nil}, track, &track, counter,
	}
	secret := tellingPAN[6:12]
	bytesOf := func(form string, sep string) string {
		parts := make([]string, 0, len(secret))
		for _, c := range []byte(secret) {
			parts = append(parts, fmt.Sprintf(form, c))
		}
		return strings.Join(parts, sep)
	}
	leaks := []string{secret, bytesOf("%d", " "), bytesOf("%x", ""), bytesOf("%X", ""), bytesOf("0x%x", ", "), bytesOf("%o", " ")}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%d", "%q", "%o", "%b", "%c", "%U", "%p", "%t", "% x", "%#x"} {
			text := fmt.Sprintf(verb, v)
			for _, leak := range leaks {
				if strings.Contains(text, leak) {
					t.Errorf("%T with %s prints %s", v, verb, text)
				}
			}
		}
		logged := encodings(t, v)
		if strings.Contains(logged, secret) {
			t.Errorf("%T is written as %s", v, logged)
		}
	}
}

// encodings writes v with every encoder that the program uses.
func encodings(t *testing.T, v any) string {
	t.Helper()
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("json of %T: %v", v, err)
	}
	out.Write(text)
	if text, err = xml.Marshal(v); err == nil {
		out.Write(text)
	}
	return out.String()
}

func TestEncodersGiveTheMaskedForm(t *testing.T) {
	p := pan(t, publicPAN)
	text, err := json.Marshal(map[string]any{"pan": p, "track": card.NewTrack(37)})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"pan":"620000******0005","track":"(present, 37 characters)"}`; string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
	if got := fmt.Sprintf("%d %s", card.NewTrack(0), card.NewTrack(3)); got != " (present, 3 characters)" {
		t.Errorf("got %q", got)
	}
	if !card.NewTrack(1).Present() || card.NewTrack(0).Present() {
		t.Error("Track.Present is wrong")
	}
	if digits := regexp.MustCompile(`\d{7,}`); digits.MatchString(fmt.Sprintf("%v %#v", p, p)) {
		t.Error("seven digits in a row")
	}
}
