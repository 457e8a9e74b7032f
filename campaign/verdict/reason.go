package verdict

import (
	"fmt"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/internal/english"
)

// reason is why a campaign is no success.
type reason struct {
	grade Grade
	text  string
}

// reasons says why a campaign is no success: whatever did not turn out as the tables of
// claims say, but for failures that are muted; what makes all of it unreliable; and
// scenarios of the corpus that fail. What is not claimed must be refuted all the same. A
// planted bug that was caught is a violation, whatever is claimed; one that conclusive
// runs did not catch is none.
func (e *Evidence) reasons() (all []reason) {
	for i := range e.Rows {
		r := &e.Rows[i]
		if why, found := r.reason(e.muted(r)); found {
			all = append(all, why)
		}
		if r.Differed {
			all = append(all, reason{Unreliable, r.String() + ": runs are not deterministic, so that nothing found can be relied on"})
		}
		if r.Contradicted > 0 {
			all = append(all, reason{Unreliable, fmt.Sprintf("%s: porcupine came to another verdict in %s", r, english.Plural(r.Contradicted, "run"))})
		}
	}
	for _, o := range e.Corpus {
		if o.Fails() {
			all = append(all, reason{Invalid, fmt.Sprintf("%s of the corpus fails: %s", o.File, o.Sentence)})
		}
	}
	for _, flaw := range e.Flaws {
		all = append(all, reason{Unreliable, flaw})
	}
	return all
}

// reason says in what way a row did not turn out as its table says, if it did not.
// Muted is how many of its failures somebody knows.
func (r *Row) reason(muted int) (why reason, found bool) {
	runs, unexpected := english.Plural(r.Runs, "run"), r.Panics+r.Crashes
	if !r.Refuted || r.Bug != "" {
		unexpected += r.Violations
	}
	switch {
	case r.Bug != "" && unexpected > 0:
		return reason{Invalid, fmt.Sprintf("the planted bug %s was caught in %d of %s", r.Bug, unexpected, runs)}, true
	case unexpected > muted && r.Refuted:
		return reason{Invalid, fmt.Sprintf("%s: panicked or crashed in %d of %s", r, unexpected, runs)}, true
	case unexpected > muted:
		return reason{Invalid, fmt.Sprintf("%s: broken in %d of %s", r, unexpected, runs)}, true
	case r.Bug == "" && r.Refuted:
		return reason{Unknown, fmt.Sprintf("%s: not refuted in %s", r, runs)}, r.Violations == 0
	}
	return reason{Unknown, fmt.Sprintf("%s: too little happened, %d of %s prove nothing", r, r.Inconclusive, runs)}, r.Verdict == checker.Unknown.String()
}

// muted returns how many failures of a row are muted.
func (e *Evidence) muted(r *Row) (n int) {
	for i := range e.Groups {
		if g := &e.Groups[i]; g.Muted != "" && r.has(g) {
			n += g.Count
		}
	}
	return n
}
