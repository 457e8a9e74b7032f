package site_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rashomon-go/rashomon/report"
	"github.com/rashomon-go/rashomon/report/site"
)

// page is one that says text wherever a page says what it was told.
func page(text string) *site.Page {
	return &site.Page{
		Title: text, Home: "index.html", Verdict: text, Grade: site.Bad, Headline: text, Because: []string{text, text}, Reload: 5,
		Facts: []report.Fact{{Name: "Name", Value: text}},
		Sections: []site.Section{
			{Title: "Table", Brief: true, Note: text, Table: &site.Table{
				Columns: []site.Column{{Name: "Text"}, {Name: "Number", Number: true}},
				Rows:    [][]site.Cell{{{Text: text}, {Text: text, Link: "group-0badcafe.html", Grade: site.Good}}},
			}},
			{Title: "Rest", Brief: true, Picture: "run.svg", About: text, Link: "run.html", Commands: []string{text, text}, Text: text},
			{Title: "Pace", Pace: []site.Minute{{At: time.Unix(0, 0), Runs: 7}}},
		},
	}
}

func html(t require.TestingT, p *site.Page) string {
	var b strings.Builder
	require.NoError(t, p.Write(&b))
	return b.String()
}

func markdown(t require.TestingT, p *site.Page) string {
	var b strings.Builder
	require.NoError(t, p.WriteMarkdown(&b))
	return b.String()
}

// hostile are texts that mean something to browsers, shells or Markdown.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</title></style></pre>`, `<!--`, `]]>`, `&lt;b&gt;`,
	"{{.}}", "javascript:alert(1)", "`id`", "$(id)", "| a | b |\n|---|---|", "# h", "[x](http://example.org)", "![x](y)", "@everyone", "**b**", "\n- x", "\n```\n", "\r# h", "<!-- x", "\x00", "\u202e", "~~~",
}

func texts() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(hostile), rapid.String()), 0, 4).Draw(t, "texts"), "")
	})
}

// long is a text that a cell breaks into lines.
var long = strings.Repeat("a", 40)

// Whatever a page is told, its markup stays what it was: no text adds a tag, an
// attribute or the end of one.
func TestTextsAreShownAndNeverRun(t *testing.T) {
	markup := func(page string) (counts [3]int) {
		for i, c := range []string{"<", ">", `"`} {
			counts[i] = strings.Count(page, c)
		}
		return counts
	}
	want := markup(html(t, page(long)))
	rapid.Check(t, func(t *rapid.T) {
		text := long + texts().Draw(t, "text")
		require.Equal(t, want, markup(html(t, page(text))), "%q", text)
	})
	assert.NotContains(t, html(t, page("plain")), "<script")
}

// All that a page is told stands in it.
func TestTextsAreThere(t *testing.T) {
	const text = `a <b> & "c"`
	d := xml.NewDecoder(strings.NewReader(html(t, page(text))))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	said := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		switch e := token.(type) {
		case xml.CharData:
			said += bytes.Count(e, []byte(text))
		case xml.StartElement:
			for _, a := range e.Attr {
				said += strings.Count(a.Value, text)
			}
		}
	}
	assert.Equal(t, 15, said, "title 2, badge 2, headline, reasons 2, fact, note, cells 2, picture, commands 2, text")
}

var escaped = regexp.MustCompile("\\\\[!-/:-@\\[-`{-~]|&#64;")

// In Markdown, a text outside of code is words: it begins no line, and what could be
// markup is escaped. Code is indented, and nothing in it can end that.
func TestMarkdownIsWordsAndCode(t *testing.T) {
	shape := func(text string) (lines []string) {
		for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r", "\n"), "\n") {
			if !strings.HasPrefix(line, "    ") {
				lines = append(lines, line)
			}
		}
		return lines
	}
	want := shape(markdown(t, page("plain")))
	rapid.Check(t, func(t *rapid.T) {
		text := "a" + texts().Draw(t, "text")
		got := shape(markdown(t, page(text)))
		require.Len(t, got, len(want), "%q", text)
		for i := range got {
			frame := strings.NewReplacer("plain", "").Replace(want[i])
			left := escaped.ReplaceAllString(got[i], "")
			for _, special := range "\\`*_[]<>|#~@!" {
				require.Equal(t, strings.Count(frame, string(special)), strings.Count(left, string(special)), "%q in %q", special, got[i])
			}
		}
	})
}

// A page that was not finished does not reload itself for ever.
func TestReload(t *testing.T) {
	p := page("plain")
	assert.Contains(t, html(t, p), `<meta http-equiv="refresh" content="5">`)
	p.Reload = 0
	assert.NotContains(t, html(t, p), "refresh")
	assert.Contains(t, html(t, p), site.Mark)
}
