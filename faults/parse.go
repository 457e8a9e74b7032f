package faults

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rashomon-go/rashomon/sim"
)

// SyntaxError says what is wrong with a fault's text, where, and what was
// expected instead.
type SyntaxError struct {
	Column  int // in characters, from 1
	Message string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Message) }

// Parse reads a fault. Blanks between the words do not matter. It cannot know
// which nodes there are: Schedule.Validate does. The error is a *SyntaxError.
func Parse(line string) (Fault, error) { return parse(line, nil) }

// UnmarshalText is Parse.
func (f *Fault) UnmarshalText(text []byte) (err error) {
	*f, err = Parse(string(text))
	return err
}

// validate lets the parser judge, so that there is one judge.
func (f Fault) validate(b *Bounds) error {
	back, err := parse(f.String(), b)
	if err == nil && !reflect.DeepEqual(f, back) {
		err = fmt.Errorf("the text does not say all of %+v", struct {
			Who     [][]string
			Delay   sim.Latency
			Percent float64
			Fate    sim.DiskFate
			Rolling bool
			Sends   int
			Time    time.Duration
			Clock   sim.Clock

			Bandwidth sim.Bandwidth
			Queue     time.Duration
			Only      []string
			Repeat    Repeat
		}{f.Who, f.Delay, f.Percent, f.Fate, f.Rolling, f.Sends, f.Time, f.Clock, f.Bandwidth, f.Queue, f.Only, f.Repeat})
	}
	return err
}

func parse(line string, b *Bounds) (Fault, error) {
	p := parser{words: split(line), bounds: b}
	f := p.fault()
	if w := p.peek(); w.text != "" {
		p.fail(w, "the end of the line")
	}
	if p.err != nil {
		return Fault{}, p.err
	}
	return f, nil
}

func (p *parser) fault() (f Fault) {
	f.From, f.Until = p.window()
	switch w := p.take(); w.text {
	case "partition":
		f.Kind, f.Who = Partition, p.groups()
	case "cut":
		f.Kind, f.Who = Cut, p.link()
	case "delay":
		f.Kind, f.Who, f.Delay = Delay, p.link(), p.latency()
	case "lose":
		f.Kind, f.Percent, f.Who = Lose, p.percent(), p.link()
	case "duplicate":
		f.Kind, f.Percent, f.Who = Duplicate, p.percent(), p.link()
	case "reorder":
		f.Kind, f.Percent, f.Who = Reorder, p.percent(), p.link()
	case "crash":
		p.crash(&f)
	case "pause":
		f.Kind, f.Who = Pause, [][]string{p.nodes()}
	case "slow":
		f.Kind, f.Who, f.Time = Slow, [][]string{p.nodes()}, p.time()
	case "slow-disk":
		f.Kind, f.Who, f.Time = SlowDisk, [][]string{p.nodes()}, p.time()
	case "fill-disk":
		f.Kind, f.Who = FillDisk, [][]string{p.nodes()}
	case "fail-disk":
		f.Kind, f.Who = FailDisk, [][]string{p.nodes()}
	case "clock":
		f.Kind, f.Who, f.Clock = Clock, [][]string{p.nodes()}, p.clock()
	case "ring":
		f.Kind, f.Who = Ring, p.ring()
	case "corrupt":
		f.Kind, f.Percent, f.Who = Corrupt, p.percent(), p.link()
	case "hold":
		f.Kind, f.Who = Hold, p.link()
	case "throttle":
		f.Kind, f.Who = Throttle, p.link()
		f.Bandwidth, f.Queue = p.bandwidth()
	default:
		p.fail(w, "one of partition ring cut delay lose duplicate reorder corrupt hold throttle crash pause slow slow-disk fill-disk fail-disk clock")
	}
	p.only(&f)
	p.repeat(&f)
	return f
}

func (p *parser) window() (from, until time.Duration) {
	const want = "a window such as 100ms..300ms"
	w := p.take()
	low, high, window := strings.Cut(w.text, "..")
	from, err := time.ParseDuration(low)
	if err != nil || from < 0 {
		p.fail(w, want)
	}
	column := w.column + utf8.RuneCountInString(low) + 2
	if window && high == "" {
		if p.bounds != nil {
			p.failf(column, "the fault never ends, expected an end of at most %v", p.bounds.End)
		}
		return from, Forever
	}
	if until, err = time.ParseDuration(high); err != nil {
		p.fail(w, want)
	}
	if until <= from {
		p.failf(column, "the window is empty, expected an end after %v", from)
	}
	if p.bounds != nil && until > p.bounds.End {
		p.failf(column, "the fault ends at %v, expected at most %v", until, p.bounds.End)
	}
	return from, until
}

// groups reads the groups of a partition. Nobody is in two of them.
func (p *parser) groups() [][]string {
	taken := p.nodes()
	groups := [][]string{taken}
	p.expect("|")
	for {
		w := p.peek()
		next := p.nodes(taken...)
		groups = append(groups, next)
		taken = slices.Concat(taken, next)
		if b := p.bounds; b != nil && slices.Contains(taken, everyone) && len(taken) > len(b.Nodes) {
			p.failf(w.column, `"*" is nobody, expected a node that is in no other group`)
		}
		if !p.accept("|") {
			return groups
		}
	}
}

func (p *parser) link() [][]string {
	from := p.nodes()
	p.expect("->")
	w := p.peek()
	to := p.nodes()
	if len(from) == 1 && from[0] != everyone && slices.Equal(from, to) {
		p.failf(w.column, "nothing lies between %q and itself, expected another node", to[0])
	}
	return [][]string{from, to}
}

// nodes reads the names up to the next word that cannot be one. What is in the
// groups before cannot be in this one.
func (p *parser) nodes(before ...string) (names []string) {
	for {
		w := p.peek()
		if endsNodes(w.text) && len(names) > 0 {
			return names
		}
		p.name(w, names, before)
		if p.err != nil {
			return names
		}
		names = append(names, p.take().text)
	}
}

// name checks a word that should join a group.
func (p *parser) name(w word, group, before []string) {
	all := w.text == everyone
	switch {
	case !all && !isName(w.text):
		p.fail(w, "a node")
	case len(group) > 0 && (all || group[0] == everyone):
		p.failf(w.column, `"*" stands for everyone, expected no nodes beside it`)
	case slices.Contains(group, w.text):
		p.failf(w.column, "%q is named twice, expected each node once", w.text)
	case slices.Contains(before, w.text):
		p.failf(w.column, "%q is in two groups, expected groups without common nodes", w.text)
	case !all && p.bounds != nil && !slices.Contains(p.bounds.Nodes, w.text):
		p.failf(w.column, "unknown node %q, expected one of %s", w.text, strings.Join(p.bounds.Nodes, " "))
	}
}

// endsNodes knows what may follow a list of nodes; none of it is a name.
func endsNodes(text string) bool {
	switch text {
	case "", "|", "->", "by", "keeping", "after", "offset", "drift", "to", "only", "every":
		return true
	}
	return false
}

func isName(text string) bool {
	for i, r := range text {
		letter := unicode.IsLetter(r) && r != utf8.RuneError || unicode.IsDigit(r) || r == '_'
		if !letter && (i == 0 || r != '.' && r != '-') {
			return false
		}
	}
	return !endsNodes(text)
}

func (p *parser) latency() sim.Latency {
	p.expect("by")
	w := p.take()
	l, err := sim.ParseLatency(w.text)
	if err != nil {
		p.fail(w, "a latency such as 2ms, 1ms..5ms or 1ms+exp(2ms)")
	}
	return l
}

// bandwidth reads "to 64kbit/s" and perhaps "queue 100ms".
func (p *parser) bandwidth() (b sim.Bandwidth, queue time.Duration) {
	p.expect("to")
	w := p.take()
	b, err := sim.ParseBandwidth(w.text)
	if err != nil {
		p.fail(w, "a bandwidth of more than 0bit/s, such as 64kbit/s")
	}
	if p.accept("queue") {
		queue = p.period()
	}
	return b, queue
}

// percent reads "2.5% of". Only plain digits will do: no sign, no exponent.
func (p *parser) percent() float64 {
	w := p.take()
	number, closed := strings.CutSuffix(w.text, "%")
	v, err := strconv.ParseFloat(number, 64)
	if !closed || err != nil || v > 100 || strings.Trim(number, "0123456789.") != "" {
		p.fail(w, "a share from 0% to 100%, such as 2.5%")
	}
	p.expect("of")
	return v
}

func (p *parser) crash(f *Fault) {
	f.Who = [][]string{p.nodes()}
	switch w := p.take(); w.text {
	case "keeping":
		f.Kind, f.Fate = Crash, p.fate()
		f.Rolling = p.accept("rolling")
	case "after":
		f.Kind, f.Sends = CrashSending, p.sends()
	default:
		p.fail(w, `"keeping" or "after"`)
	}
}

func (p *parser) fate() sim.DiskFate {
	w := p.take()
	i := slices.Index(fateWords[:], w.text)
	if i < 0 {
		p.fail(w, "synced, everything or nothing")
	}
	return sim.DiskFate(max(i, 0))
}

func (p *parser) sends() int {
	w := p.take()
	n, err := strconv.Atoi(w.text)
	if err != nil || n < 0 {
		p.fail(w, "a number of sends")
	}
	if !p.accept("send") {
		p.expect("sends")
	}
	return n
}

// time reads "by 5ms".
func (p *parser) time() time.Duration {
	p.expect("by")
	w := p.take()
	d, err := time.ParseDuration(w.text)
	if err != nil || d <= 0 {
		p.fail(w, "a time such as 5ms, more than nothing")
	}
	return d
}

// fastest bounds drifts: a clock must run forward, and at most at double speed.
const fastest = 1_000_000

func (p *parser) clock() (c sim.Clock) {
	offset := p.accept("offset")
	if offset {
		w := p.take()
		var err error
		if c.Offset, err = time.ParseDuration(w.text); err != nil {
			p.fail(w, "an offset such as 50ms or -50ms")
		}
	}
	drift := p.accept("drift")
	if drift {
		w := p.take()
		number, closed := strings.CutSuffix(w.text, "ppm")
		var err error
		c.DriftPPM, err = strconv.ParseInt(number, 10, 64)
		if err != nil || !closed || c.DriftPPM <= -fastest || c.DriftPPM > fastest {
			p.fail(w, "a drift such as 200ppm, from -999999ppm to 1000000ppm")
		}
	}
	if !offset && !drift {
		p.fail(p.peek(), `"offset" or "drift"`)
	}
	return c
}
