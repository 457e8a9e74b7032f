package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/internal/wholefile"
)

// saver shrinks what a campaign found and writes it to a directory.
type saver struct {
	flag string // that names dir
	dir  string
	svg  bool    // write a drawing too
	errs []error // what could not be written
}

// failure is nil if everything was written.
func (s *saver) failure() error {
	if len(s.errs) == 0 {
		return nil
	}
	return brokenError{errors.Join(s.errs...)}
}

// findings are what was found in one cell. Each may be nil.
type findings struct {
	found, panicked, crashed *foundReport
	differs                  *differReport
}

// all saves what was found, cell by cell.
func (s *saver) all(r *campaign.Report) []findings {
	all := make([]findings, len(r.Cells))
	for i := range r.Cells {
		all[i] = s.cell(&r.Cells[i])
	}
	return all
}

func (s *saver) cell(c *campaign.CellReport) (f findings) {
	name := fmt.Sprintf("%s-%s-%s", c.System.Name, c.Claim.Reads, c.Claim.Property)
	if c.System.Bug != "" {
		name = c.System.Bug
	}
	if crash := c.FirstCrash; crash != nil {
		f.crashed = s.crash(crash, name+"-crash")
	}
	if d := c.FirstDiffering; d != nil {
		f.differs = s.differs(c.System, d.Scenario, d, d.Again, name)
	}
	for _, k := range []struct {
		first *campaign.Finding
		name  string
		to    **foundReport
	}{{c.First, name, &f.found}, {c.FirstPanic, name + "-panic", &f.panicked}} {
		if k.first == nil {
			continue
		}
		found, differs := s.finding(c.System, k.first, k.name)
		*k.to = found
		if f.differs == nil {
			f.differs = differs
		}
	}
	return f
}

// finding writes a scenario that fails, and its page. Each time that it is run on
// the way, the run must be the same as before.
func (s *saver) finding(system *rashomon.System, f *campaign.Finding, name string) (*foundReport, *differReport) {
	again, err := rashomon.Run(system, f.Scenario, rashomon.Options{Check: checker.Options{VerdictOnly: true}})
	if err != nil {
		s.errs = append(s.errs, fmt.Errorf("%s: %w", name, err))
		return nil, nil
	}
	if campaign.Differs(f.Result, again) {
		d := s.differs(system, f.Scenario, f, again, name)
		d.failure = failureOf(system, f, nil, d)
		return nil, d
	}
	shrunk, err := f.Shrink(system)
	if err != nil {
		s.errs = append(s.errs, fmt.Errorf("%s: %w", name, err))
		return nil, nil
	}
	small, result := shrunk.Scenario, shrunk.Result
	saved, again := s.write(system, small, name)
	if again != nil && campaign.Differs(result, again) {
		d := newDiffer(system, small, f.Seed, result.Digest, again.Digest)
		d.Scenario, d.failure = saved.Scenario, failureOf(system, f, small, d)
		return nil, d
	}
	found := &foundReport{
		Seed: f.Seed, Sentence: result.Sentence, Operations: len(small.Operations), Faults: len(small.Faults),
		Digest: rashomon.DigestString(result.Digest), Scenario: saved.Scenario, Page: saved.Page,
	}
	for _, op := range result.Witness {
		found.Witness = append(found.Witness, result.DescribeOp(op))
	}
	return found, nil
}

// crash writes the scenario of a run that must not be made in this process.
func (s *saver) crash(f *campaign.Finding, name string) *foundReport {
	sc := *f.Scenario
	sc.Program = version()
	found := &foundReport{
		Seed: f.Seed, Sentence: f.Result.Sentence, Operations: len(sc.Operations), Faults: len(sc.Faults),
		Scenario: filepath.Join(s.dir, name+".yaml"),
	}
	err := wholefile.Write(found.Scenario, func(w io.Writer) error { return rashomon.WriteScenario(w, &sc) })
	if err != nil {
		s.errs = append(s.errs, notWritten(s.flag, found.Scenario, err))
		found.Scenario = ""
	}
	return found
}

// write writes a scenario and its page. What was not written has no name.
func (s *saver) write(system *rashomon.System, sc *rashomon.Scenario, name string) (rashomon.Saved, *rashomon.Result) {
	ours := *sc
	ours.Program = version()
	saved, result, err := rashomon.Save(rashomon.Files{Dir: s.dir, Name: name, SVG: s.svg, Replay: replayCommand}, system, &ours)
	if err != nil {
		s.errs = append(s.errs, notWritten(s.flag, filepath.Join(s.dir, name), err))
		saved.Page = "" // it is written last
	}
	return saved, result
}

// differs writes a scenario of which two runs differ.
func (s *saver) differs(system *rashomon.System, sc *rashomon.Scenario, f *campaign.Finding, again *rashomon.Result, name string) *differReport {
	d := newDiffer(system, sc, f.Seed, f.Result.Digest, again.Digest)
	if f.Difference != nil {
		d.Where = f.Difference.String()
	}
	saved, _ := s.write(system, sc, name+"-differs")
	d.Scenario = saved.Scenario
	return d
}

// differReport tells that two runs of one scenario were not the same.
type differReport struct {
	Seed     uint64 `json:"seed"`
	Digest   string `json:"digest"`
	Again    string `json:"again"`              // the digest of another run
	Where    string `json:"where"`              // the first event that differs, in words
	Scenario string `json:"scenario,omitempty"` // file

	failure *campaign.Failure // nil if the campaign has noticed it, and kept it
}

// failureOf is a difference as the store keeps it. Small is nil if the scenario was not shrunk.
func failureOf(s *rashomon.System, f *campaign.Finding, small *rashomon.Scenario, d *differReport) *campaign.Failure {
	return &campaign.Failure{
		Signature: campaign.Signature{System: s.Name, Bug: s.Bug, Reads: f.Scenario.Reads, Claim: f.Scenario.Claim, Kind: campaign.NotDeterministic},
		Seed:      f.Seed, Sentence: d.String(), Scenario: f.Scenario, Result: f.Result, Small: small,
	}
}

func newDiffer(s *rashomon.System, sc *rashomon.Scenario, seed, digest, again uint64) *differReport {
	return &differReport{
		Seed: seed, Digest: rashomon.DigestString(digest), Again: rashomon.DigestString(again),
		Where: whereDiffers(s, sc),
	}
}

// whereDiffers runs a scenario twice more and says where the runs part.
func whereDiffers(s *rashomon.System, sc *rashomon.Scenario) string {
	_, _, d, err := rashomon.Twice(s, sc, []rashomon.Property{sc.Claim}, rashomon.Options{Check: checker.Options{VerdictOnly: true}})
	switch {
	case err != nil:
		return err.Error()
	case d == nil:
		return "two more runs were equal, event by event"
	}
	return "of two more runs, " + d.String()
}

// String says it in one line.
func (d *differReport) String() string {
	if d.Digest == d.Again {
		return "two runs of one scenario differ, but not in their digest: something is not deterministic; " + d.Where
	}
	return fmt.Sprintf("two runs of one scenario gave the digests %s and %s: something is not deterministic; %s", d.Digest, d.Again, d.Where)
}
