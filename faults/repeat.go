package faults

import "time"

// Repeat lets a fault of any kind come and go within its window: it begins at
// From and every period after that, and each time it is there for For, or until
// the window ends. Whom its roles mean is decided anew each time.
type Repeat struct {
	Every, For time.Duration // 0 < For <= Every
}

// mostTimes bounds the repetitions of a fault.
const mostTimes = 1000

// times returns how often a fault begins.
func (f Fault) times() int64 {
	if f.Every <= 0 {
		return 1
	}
	return int64((f.Until-f.From-1)/f.Every) + 1
}

// each returns the faults without a Repeat that a fault consists of.
func (f Fault) each() (all []Fault) {
	if f.Every == 0 {
		return []Fault{f}
	}
	for i := range f.times() {
		g := f
		g.Repeat = Repeat{}
		g.From = f.From + time.Duration(i)*f.Every
		g.Until = f.Until
		if f.For < f.Until-g.From {
			g.Until = g.From + f.For
		}
		all = append(all, g)
	}
	return all
}

// repeat reads "every 60ms for 20ms", if it is there.
func (p *parser) repeat(f *Fault) {
	w := p.peek()
	if !p.accept("every") {
		return
	}
	f.Every = p.period()
	p.expect("for")
	length := p.peek()
	f.For = p.period()
	switch {
	case p.err != nil:
	case f.For > f.Every:
		p.failf(length.column, "%v is longer than the period, expected at most %v", f.For, f.Every)
	case f.times() > mostTimes:
		p.failf(w.column, "the fault begins %d times, expected at most %d", f.times(), mostTimes)
	}
}

func (p *parser) period() time.Duration {
	w := p.take()
	d, err := time.ParseDuration(w.text)
	if err != nil || d <= 0 {
		p.fail(w, "a duration of more than 0s, such as 20ms")
	}
	return d
}

func (f Fault) repeatWords() string {
	if f.Repeat == (Repeat{}) {
		return ""
	}
	return " every " + f.Every.String() + " for " + f.For.String()
}
