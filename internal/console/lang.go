// SPDX-License-Identifier: Apache-2.0

package console

import (
	"embed"
	"fmt"
	"net/http"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
)

// The languages of the pages; the first is the source language and the default.
const (
	chinese = "zh"
	english = "en"
)

var languages = [...]string{chinese, english}

//go:embed locales/active.*.yaml
var locales embed.FS

// langCookie remembers the language that a reader chose.
const (
	langCookie     = "lang"
	langCookieDays = 365
)

// catalog is the texts of the pages in all languages. What is known about
// terminals comes from package knowledge, not from here.
type catalog struct {
	tongues map[string]*tongue
	matcher language.Matcher
}

// tongue is the texts of one language.
type tongue struct {
	code  string // "zh" or "en"
	words *i18n.Localizer
}

func loadCatalog() (*catalog, error) {
	b := i18n.NewBundle(language.Chinese)
	b.RegisterUnmarshalFunc("yaml", yaml.Unmarshal)
	c := &catalog{tongues: map[string]*tongue{}}
	var tags []language.Tag
	for _, lang := range languages {
		file := "locales/active." + lang + ".yaml"
		if _, err := b.LoadMessageFileFS(locales, file); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		c.tongues[lang] = &tongue{lang, i18n.NewLocalizer(b, lang)}
		tags = append(tags, language.MustParse(lang))
	}
	c.matcher = language.NewMatcher(tags)
	return c, nil
}

func (c *catalog) in(lang string) *tongue { return c.tongues[lang] }

// T gives the text of a key. Args are names and values that the text uses; the
// value of N also chooses between singular and plural. A key that does not exist,
// which a test excludes, is its own text.
func (t *tongue) T(key string, args ...any) string {
	cfg := &i18n.LocalizeConfig{MessageID: key}
	if len(args) > 1 {
		data := make(map[string]any, len(args)/2)
		for i := 0; i+1 < len(args); i += 2 {
			name := fmt.Sprint(args[i])
			data[name] = args[i+1]
			if name == "N" {
				cfg.PluralCount = args[i+1]
			}
		}
		cfg.TemplateData = data
	}
	text, err := t.words.Localize(cfg)
	if err != nil && cfg.PluralCount != nil {
		cfg.PluralCount = nil // a text with one form for all numbers
		text, err = t.words.Localize(cfg)
	}
	if err != nil {
		return key
	}
	return text
}

// choose gives the language of a request: the one it asks for, the one its reader
// chose before, the one the browser prefers. asked is true if it asks for one.
func (c *catalog) choose(r *http.Request) (lang *tongue, asked bool) {
	if t := c.tongues[r.URL.Query().Get("lang")]; t != nil {
		return t, true
	}
	if k, err := r.Cookie(langCookie); err == nil && c.tongues[k.Value] != nil {
		return c.tongues[k.Value], false
	}
	const longest = 200 // a browser's own list is shorter
	header := r.Header.Get("Accept-Language")
	tags, _, err := language.ParseAcceptLanguage(header[:min(len(header), longest)])
	if err != nil || len(tags) == 0 {
		return c.tongues[chinese], false
	}
	_, i, confidence := c.matcher.Match(tags...)
	if confidence == language.No {
		return c.tongues[english], false // who reads neither more likely knows English
	}
	return c.tongues[languages[i]], false
}

// remember sets the cookie that keeps a choice.
func remember(w http.ResponseWriter, t *tongue) {
	const day = 24 * 60 * 60
	http.SetCookie(w, &http.Cookie{
		Name: langCookie, Value: t.code, Path: "/", MaxAge: langCookieDays * day, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// other gives the language that is not t, and its own name for itself.
func (t *tongue) other() string {
	if t.code == chinese {
		return english
	}
	return chinese
}

// list joins words as the language does.
func (t *tongue) list(words []string) string {
	if t.code == chinese {
		return strings.Join(words, "、")
	}
	return strings.Join(words, ", ")
}
