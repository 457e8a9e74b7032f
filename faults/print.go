package faults

import (
	"strconv"
	"strings"

	"github.com/rashomon-go/rashomon/sim"
)

// everyone is the name that stands for all replicas.
const everyone = "*"

var fateWords = [...]string{sim.LoseUnsynced: "synced", sim.KeepAll: "everything", sim.LoseAll: "nothing"}

// String returns the canonical text of the fault, which Parse reads.
func (f Fault) String() string {
	return f.From.String() + ".." + f.end() + " " + f.effectWords() + f.onlyWords() + f.repeatWords()
}

func (f Fault) effectWords() string {
	b := f.Kind.String() + " "
	switch f.Kind {
	case Delay:
		return b + f.who() + " by " + f.Delay.String()
	case Lose, Duplicate, Reorder, Corrupt:
		return b + strconv.FormatFloat(f.Percent, 'f', -1, 64) + "% of " + f.who()
	case Crash:
		return b + f.who() + " keeping " + fateWord(f.Fate) + rolling(f.Rolling)
	case CrashSending:
		return b + f.who() + " after " + sends(f.Sends)
	case Slow, SlowDisk:
		return b + f.who() + " by " + f.Time.String()
	case Throttle:
		b += f.who() + " to " + f.Bandwidth.String()
		if f.Queue != 0 {
			b += " queue " + f.Queue.String()
		}
		return b
	case Clock:
		return b + f.who() + clockWords(f.Clock)
	}
	return b + f.who()
}

// end prints nothing for a fault that never ends.
func (f Fault) end() string {
	if f.Endless() {
		return ""
	}
	return f.Until.String()
}

// String returns the faults, one a line.
func (s Schedule) String() string {
	lines := make([]string, len(s))
	for i, f := range s {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// MarshalText returns the text of the fault, so that it is a string in YAML and
// JSON.
func (f Fault) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// who prints the groups with what stands between them.
func (f Fault) who() string {
	groups := make([]string, len(f.Who))
	for i, g := range f.Who {
		groups[i] = strings.Join(g, " ")
	}
	if f.Kind.directed() {
		return strings.Join(groups, " -> ")
	}
	return strings.Join(groups, " | ")
}

func fateWord(d sim.DiskFate) string {
	if int(d) < len(fateWords) {
		return fateWords[d]
	}
	return "?"
}

func rolling(is bool) string {
	if is {
		return " rolling"
	}
	return ""
}

func sends(n int) string {
	if n == 1 {
		return "1 send"
	}
	return strconv.Itoa(n) + " sends"
}

// clockWords leaves out what is zero, unless everything is.
func clockWords(c sim.Clock) (words string) {
	if c.Offset != 0 || c.DriftPPM == 0 {
		words = " offset " + c.Offset.String()
	}
	if c.DriftPPM != 0 {
		words += " drift " + strconv.FormatInt(c.DriftPPM, 10) + "ppm"
	}
	return words
}
