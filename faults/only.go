package faults

import (
	"slices"
	"strings"
)

// only reads "only Propagate WriteAck", if it is there.
func (p *parser) only(f *Fault) {
	w := p.peek()
	if !p.accept("only") {
		return
	}
	if !f.Kind.OfLinks() {
		p.failf(w.column, `nothing here is about messages, expected "only" after a fault of links`)
	}
	for len(f.Only) == 0 || !endsTypes(p.peek().text) {
		w := p.take()
		switch {
		case !isType(w.text):
			p.fail(w, "the name of a message's type")
		case slices.Contains(f.Only, w.text):
			p.failf(w.column, "%q is named twice, expected each type once", w.text)
		case p.bounds != nil && len(p.bounds.Messages) > 0 && !slices.Contains(p.bounds.Messages, w.text):
			p.failf(w.column, "unknown type of message %q, expected one of %s", w.text, strings.Join(p.bounds.Messages, " "))
		}
		if p.err != nil {
			return
		}
		f.Only = append(f.Only, w.text)
	}
}

func endsTypes(text string) bool { return text == "" || text == "every" }

func isType(text string) bool { return isName(text) && !strings.ContainsAny(text, ".-") }

func (f Fault) onlyWords() string {
	if len(f.Only) == 0 {
		return ""
	}
	return " only " + strings.Join(f.Only, " ")
}
