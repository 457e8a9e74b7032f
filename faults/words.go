package faults

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// word is a word of a line. The line ends with a word that is empty.
type word struct {
	text   string
	column int
}

func (w word) String() string {
	if w.text == "" {
		return "the line ends"
	}
	return fmt.Sprintf("unexpected %q", w.text)
}

func split(line string) (words []word) {
	column := 1
	for {
		rest := strings.TrimLeft(line, " \t")
		column += len(line) - len(rest)
		n := strings.IndexAny(rest, " \t")
		if n < 0 {
			n = len(rest)
		}
		words = append(words, word{rest[:n], column})
		if n == 0 {
			return words
		}
		column += utf8.RuneCountInString(rest[:n])
		line = rest[n:]
	}
}

// parser reads words from left to right. After the first error it reads on, and
// what it reads has no meaning any more.
type parser struct {
	words  []word
	bounds *Bounds
	err    error
}

// fail keeps the first error.
func (p *parser) fail(w word, want string) { p.failf(w.column, "%v, expected %s", w, want) }

func (p *parser) failf(column int, format string, args ...any) {
	if p.err == nil {
		p.err = &SyntaxError{column, fmt.Sprintf(format, args...)}
	}
}

func (p *parser) peek() word { return p.words[0] }

func (p *parser) take() word {
	w := p.words[0]
	if w.text != "" {
		p.words = p.words[1:]
	}
	return w
}

// accept takes the next word if it is the one.
func (p *parser) accept(text string) bool {
	is := p.peek().text == text
	if is {
		p.take()
	}
	return is
}

func (p *parser) expect(text string) {
	if !p.accept(text) {
		p.fail(p.peek(), strconv.Quote(text))
	}
}
