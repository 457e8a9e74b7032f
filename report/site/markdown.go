package site

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes headline, facts and what is Brief, in GitHub's dialect. Texts of
// others make no markup of it, and mention nobody.
func (p *Page) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## Rashomon, %s: %s\n\n%s\n", plain(p.Title), plain(p.Verdict), plain(p.Headline))
	if len(p.Because) > 0 {
		b.WriteString("\n")
	}
	for _, why := range p.Because {
		fmt.Fprintf(&b, "- %s\n", plain(why))
	}
	if len(p.Facts) > 0 {
		b.WriteString("\n| | |\n|---|---|\n")
	}
	for _, f := range p.Facts {
		fmt.Fprintf(&b, "| %s | %s |\n", plain(f.Name), plain(f.Value))
	}
	for i := range p.Sections {
		if p.Sections[i].Brief {
			p.Sections[i].markdown(&b)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *Section) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s\n", plain(s.Title))
	if s.Note != "" {
		fmt.Fprintf(b, "\n%s\n", plain(s.Note))
	}
	if s.Table != nil {
		b.WriteString("\n")
		s.Table.markdown(b)
	}
	if len(s.Commands) > 0 {
		code(b, strings.Join(s.Commands, "\n"))
	}
	if s.Text != "" {
		code(b, s.Text)
	}
}

func (t *Table) markdown(b *strings.Builder) {
	rule := "|"
	for _, c := range t.Columns {
		fmt.Fprintf(b, "| %s ", plain(c.Name))
		rule += map[bool]string{false: "---|", true: "---:|"}[c.Number]
	}
	fmt.Fprintf(b, "|\n%s\n", rule)
	for _, row := range t.Rows {
		for _, c := range row {
			text := plain(c.Text)
			if c.Grade == Bad {
				text = "**" + text + "**"
			}
			fmt.Fprintf(b, "| %s ", text)
		}
		b.WriteString("|\n")
	}
}

// code writes a text as it is. No line of it can end an indented block.
func code(b *strings.Builder, text string) {
	b.WriteString("\n")
	for line := range strings.Lines(strings.ReplaceAll(text, "\r", "\n")) {
		fmt.Fprintf(b, "    %s\n", strings.TrimSuffix(line, "\n"))
	}
}

// plain returns a text in one line, of which Markdown makes nothing else.
func plain(text string) string {
	var b strings.Builder
	for _, c := range strings.Join(strings.Fields(text), " ") {
		switch {
		case c == '@': // a backslash does not keep it from naming somebody
			b.WriteString("&#64;")
			continue
		case strings.ContainsRune("\\`*_[]<>|#~&!", c):
			b.WriteRune('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}
