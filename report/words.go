package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/internal/english"
)

// clip shortens a text to n runes and makes control characters visible.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	count := 0
	for i, r := range s {
		if count++; count == n && i+utf8.RuneLen(r) < len(s) {
			return printable(s[:i]) + "…"
		}
	}
	return printable(s)
}

// printable replaces what would be invisible or would turn the text around it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return '\uFFFD'
		}
		return r
	}, s)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// ms prints a time in milliseconds, to the microsecond.
func ms(t time.Duration) string {
	s := strconv.FormatFloat(float64(t.Round(time.Microsecond))/1e6, 'f', 3, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// when prints a moment: a time, or which event it is.
func (p *Page) when(t time.Duration) string {
	if p.Timeless {
		return "event " + ms(t)
	}
	return ms(t) + " ms"
}

// lasting prints a length of time, or a number of events.
func (p *Page) lasting(t time.Duration) string { return ms(t) + " " + p.unit() }

// unit is what the axis counts.
func (p *Page) unit() string {
	if p.Timeless {
		return "events"
	}
	return "ms"
}

// tick prints a time on the axis with the decimals that its step needs.
func tick(t, step time.Duration) string {
	decimals := 0
	for unit := time.Millisecond; unit > step && decimals < 6; unit /= 10 {
		decimals++
	}
	return strconv.FormatFloat(float64(t)/1e6, 'f', decimals, 64)
}

// counted prints a count with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return english.Grouped(n) + " " + noun + "s"
}

func leftOut(n, limit int, nouns string) string {
	if n <= limit {
		return ""
	}
	return fmt.Sprintf("The first %s of %s %s are listed.", english.Grouped(limit), english.Grouped(n), nouns)
}

// words says what the drawing shows and what it leaves out.
func (s *scene) words() []string {
	var times []string
	for _, t := range s.axis.spans {
		times = append(times, s.page.when(t.from)+" to "+s.page.when(t.until))
	}
	say := []string{fmt.Sprintf("Showing %s of a run of %s.", strings.Join(times, " and "), s.page.lasting(s.run.until))}
	var outside []string
	if n := len(s.h.Ops) - s.inWindow; n > 0 {
		outside = append(outside, english.Grouped(n)+" of "+counted(len(s.h.Ops), "operation"))
	}
	if n := s.msgTotal - s.msgWindow; n > 0 {
		outside = append(outside, english.Grouped(n)+" of "+counted(s.msgTotal, "message"))
	}
	if outside != nil {
		say = append(say, strings.Join(outside, " and ")+" lie outside.")
	}
	return append(say, s.crowdedOut()...)
}

// crowdedOut says what of the drawn time is not drawn for want of room.
func (s *scene) crowdedOut() (say []string) {
	if s.idleLanes > 0 {
		say = append(say, fmt.Sprintf("%s without a part in the witness not drawn.", are(s.idleLanes, "client")))
	}
	if n := s.page.Replicas - maxNodes; n > 0 {
		say = append(say, fmt.Sprintf("%s not drawn: the first %d are.", are(n, "replica"), maxNodes))
	}
	if s.actsLeft > 0 {
		say = append(say, fmt.Sprintf("%s not drawn: the first %d of this time are.", are(s.actsLeft, "action"), maxRows))
	}
	if n := s.inWindow - len(s.ops); n > 0 {
		say = append(say, fmt.Sprintf("%s of this time not drawn: the nearest to the violation are.", are(n, "operation")))
	}
	if n := s.msgWindow - len(s.messages); n > 0 {
		say = append(say, fmt.Sprintf("%s of this time not drawn: those of the witness, the dropped and the nearest are.", are(n, "message")))
	}
	if n := len(s.witness) - maxWitness; n > 0 {
		say = append(say, fmt.Sprintf("Of the witness, the first %d operations stand out.", maxWitness))
	}
	return say
}

func are(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " is"
	}
	return counted(n, noun) + " are"
}

// row is an operation in a table.
type row struct {
	Op, Number                        int
	Client, What, Outcome, Node, Kind string
	Called, Returned                  string
}

func (s *scene) rows(ops []int, nouns string) ([]row, string) {
	var rows []row
	for _, i := range ops[:min(len(ops), maxRows)] {
		rows = append(rows, s.row(i))
	}
	return rows, leftOut(len(ops), maxRows, nouns)
}

func (s *scene) row(i int) row {
	o := &s.h.Ops[i]
	r := row{
		Op: i, Number: s.rank[i], Client: s.client(i), What: clip(s.h.OpString(i), maxText),
		Outcome: o.Outcome.String(), Kind: o.Kind.String(), Called: ms(o.CalledAt), Returned: ms(o.ReturnedAt),
	}
	if o.Node != history.NoNode && int(o.Node) < len(s.h.Nodes) {
		r.Node = clip(s.h.Nodes[o.Node], maxText)
	}
	if o.Outcome == history.Unknown {
		r.Returned = "gave up at " + ms(s.opSpan(i).until)
	}
	return r
}

// client names the client of an operation, with its process where that says more.
func (s *scene) client(i int) string {
	process := s.h.Ops[i].Process
	id := s.page.lane(process)
	name := clip(s.page.name(id), maxText)
	if int(process) != int(id)-s.page.Replicas {
		name += fmt.Sprintf(" (process %d)", process)
	}
	return name
}

func (s *scene) sameKeyTitle(n int) string {
	var keys []string
	for _, i := range s.witness[:min(len(s.witness), maxWitness)] {
		if k := clip(s.h.Keys[s.h.Ops[i].Key], maxLabel); !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	if len(keys) > 5 {
		keys = append(keys[:5], "…")
	}
	return fmt.Sprintf("%s on %s in this time", counted(n, "operation"), strings.Join(keys, ", "))
}

// bandRow is a fault in a table.
type bandRow struct {
	Text, Nodes, From, Until string
	Drawn                    bool
}

func bandRows(s *scene) ([]bandRow, string) {
	var rows []bandRow
	for _, b := range s.page.Faults[:min(len(s.page.Faults), maxRows)] {
		r := bandRow{Text: clip(b.Text, maxText), From: ms(b.From), Nodes: "all"}
		if b.Until > b.From {
			r.Until = ms(b.Until)
		}
		if b.Nodes != nil {
			var on []string
			for _, id := range b.Nodes {
				on = append(on, s.page.name(id))
			}
			r.Nodes = clip(strings.Join(on, ", "), maxText)
		}
		r.Drawn = s.axis.touches(span{b.From, max(b.From, b.Until)})
		rows = append(rows, r)
	}
	return rows, leftOut(len(s.page.Faults), maxRows, "faults")
}
