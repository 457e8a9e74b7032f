// Package site writes pages that tell what came of a campaign: an index, and a page
// for each kind of failure. They are plain files that link each other, so that they
// can be opened from a disk and uploaded anywhere; none of them has a script.
//
// A Page is plain data: a verdict, a headline, and sections of tables, charts,
// pictures and texts. Write makes HTML of it, and WriteMarkdown what of it is Brief,
// for the summary of a CI step or an issue. Texts may come from anywhere: they are
// shown, never run.
package site

import (
	_ "embed"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/report"
)

// Page is one page. What is empty is not mentioned.
type Page struct {
	Title    string
	Home     string // address of the page above this one
	Verdict  string // a word or two
	Grade    Grade  // of the verdict
	Headline string
	Because  []string // sentences that say why
	Facts    []report.Fact
	Sections []Section
	// Reload is after how many seconds a browser asks for the page again. 0 means
	// never.
	Reload int
}

// Grade is how good or bad something is: its colour.
type Grade string

// The grades. The zero value is neither good nor bad.
const (
	Good    Grade = "valid"
	Bad     Grade = "invalid"
	Unclear Grade = "unknown"
)

// Section is one thing that a page tells. All that it has is shown, in the order of
// the fields.
type Section struct {
	Title string
	Brief bool // it belongs into Markdown, too
	Note  string
	Table *Table
	Pace  []Minute
	// Picture is the address of an image; a click on it leads to Link.
	Picture, About, Link string
	Commands             []string // for people to type
	Text                 string
}

// Table is rows of as many cells as there are columns.
type Table struct {
	Columns []Column
	Rows    [][]Cell
}

// Column heads the cells below it.
type Column struct {
	Name   string
	Number bool // it stands to the right
}

// Cell is one text of a table.
type Cell struct {
	Text  string
	Link  string // address
	Grade Grade
}

// Minute is how many runs were kept in a minute.
type Minute struct {
	At   time.Time // its beginning
	Runs int
}

//go:embed page.html
var html string

//go:embed site.css
var css string

var pages = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"chart": newChart, "anchor": anchor,
}).Parse(html))

// Mark stands in every page, so that it can be told from other people's files.
const Mark = `<meta name="generator" content="Rashomon">`

var style = report.Style() + css

// Write writes the page as one HTML document. Equal pages are written as equal bytes.
func (p *Page) Write(w io.Writer) error {
	return pages.Execute(w, struct {
		*Page
		Mark     template.HTML
		Style    template.CSS
		StyleSum string
	}{p, Mark, template.CSS(style), report.Sum(style)})
}

// anchor makes an address within the page of a title.
func anchor(title string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(title), func(c rune) bool { return c < 'a' || c > 'z' }), "-")
}
