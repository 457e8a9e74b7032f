package campaign

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
)

// Crash is a run that ends the process that makes it, or that does not end. Such runs
// are found by Plan.Try, and are never made in the process of the campaign.
type Crash struct {
	Family string // Cell.Family
	Seed   uint64
	How    string // the process ended, such as "fatal error: stack overflow" or "exit status 3"
	Where  string // it was then, a function and its line, or empty if nobody knows
	Said   string // last, on its standard error, if it did not say how it ended
}

// String tells the crash in one line.
func (c *Crash) String() string {
	text := "the run ended its process: " + c.How
	if strings.HasPrefix(c.How, noEnd) {
		text = "the run " + c.How
	}
	if c.Where != "" {
		text += ", in " + c.Where
	}
	if c.Said != "" {
		text += fmt.Sprintf(", after %q", c.Said)
	}
	return text
}

// crashed begins the Signature.Kind of a crash.
const crashed = "crash: "

var numbers = regexp.MustCompile(`0x[0-9a-f]+|[0-9]+`)

// kind is what crashes of one bug have in common: how, without sizes and times. A status
// is no size.
func (c *Crash) kind() string {
	if strings.HasPrefix(c.How, "exit status ") {
		return crashed + c.How
	}
	return crashed + numbers.ReplaceAllString(c.How, "N")
}

// Crashed returns the batch of that one run, for who keeps the campaign. It counts in
// each cell of the family, as a panic does, but not in the digest: nobody knows what would
// have happened.
func (p *Plan) Crashed(crash Crash) (*Batch, error) {
	for _, f := range p.families() {
		first := p.Cells[f[0]]
		run, ok := p.number(crash.Seed)
		if first.Family() != crash.Family || !ok {
			continue
		}
		sc := rashomon.FromSeed(crash.Seed, first.System, first.Claim, p.Operations)
		found := make([]Finding, len(f))
		for i, cell := range f {
			found[i] = p.Cells[cell].crashed(*sc, crash)
		}
		b := newBatch(p, f)
		b.add(run, found)
		signatures := newClassifier(p.Done.Signatures)
		for i := range found {
			b.Failures = append(b.Failures, signatures.crash(b.Cells[i].System, &found[i]))
		}
		return b, nil
	}
	return nil, fmt.Errorf("campaign: no run of %q has the seed %d, expected a crash of this campaign", crash.Family, crash.Seed)
}

// crashed returns what a crash is for a cell.
func (c Cell) crashed(sc rashomon.Scenario, crash Crash) Finding {
	sc.Claim = c.Claim.Property
	return Finding{
		Seed: crash.Seed, Scenario: &sc, Crash: &crash,
		Result: &rashomon.Result{Judgement: checker.Judgement{Verdict: checker.Invalid, Sentence: crash.String()}},
	}
}

// crash says what kind of failure a crash is. What it needs to go wrong is not known:
// it has not been shrunk.
func (c *classifier) crash(s *rashomon.System, f *Finding) Failure {
	sc := *f.Scenario
	sc.Shows = f.Crash.kind()
	return Failure{
		Signature: c.add(Signature{System: s.Name, Bug: s.Bug, Reads: sc.Reads, Claim: sc.Claim, Kind: sc.Shows}),
		Seed:      f.Seed, Sentence: f.Result.Sentence, Scenario: &sc, Result: f.Result,
	}
}

// number returns which run has a seed, if the plan has one.
func (p *Plan) number(seed uint64) (run int, ok bool) {
	run = int(seed - p.Seed)
	return run, run >= 0 && (p.Runs == 0 || run < p.Runs) && p.ours(run/p.size())
}

// Open returns the run of a family that has a seed, as a range, if the plan has such a run
// and it is not done.
func (p *Plan) Open(family string, seed uint64) (Range, bool) {
	run, ok := p.number(seed)
	if !ok {
		return Range{}, false
	}
	open := Range{run, run + 1}.Without(p.Done.Ranges[family])
	if len(open) == 0 {
		return Range{}, false
	}
	return open[0], true
}

// patience is how long a run may take, with hundreds of others that shrink it if it fails,
// before it counts as one that does not end.
func (p *Plan) patience() time.Duration {
	if p.Patience > 0 {
		return p.Patience
	}
	return time.Minute + time.Duration(cmp.Or(p.Operations, rashomon.DefaultOperations))*100*time.Millisecond
}
