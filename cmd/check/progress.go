package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/internal/english"
)

// progress shows how far a campaign, or a minimisation, has come: a bar on a terminal, a plain line
// now and then elsewhere.
type progress struct {
	w    io.Writer
	bar  *progressbar.ProgressBar
	said time.Duration
}

// between is the time between two plain lines.
const between = 5 * time.Second

func newProgress(w io.Writer) *progress {
	p := &progress{w: w}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		p.bar = progressbar.NewOptions(1000,
			progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false))
	}
	return p
}

// clear makes room for a line of something else; the bar comes again below.
func (p *progress) clear() {
	if p != nil && p.bar != nil {
		_ = p.bar.Clear()
	}
}

func (p *progress) show(now campaign.Progress) {
	text := fmt.Sprintf("%s, %.0f per second, %s of claims", english.Plural(now.Runs, "run"), now.PerSecond, english.Plural(now.Violations, "violation"))
	if now.Known > 0 { // they come with the first runs
		text += fmt.Sprintf(", %d of %d features reached", now.Reached, now.Known)
	}
	if now.Left > 0 {
		text += fmt.Sprintf(", %v left", now.Left.Round(time.Second))
	}
	switch {
	case p.bar != nil:
		p.bar.Describe(text)
		_ = p.bar.Set(min(999, int(now.Done*1000))) // a bar that cannot be drawn is no reason to stop
	case now.Elapsed-p.said >= between:
		p.said = now.Elapsed
		fmt.Fprintf(p.w, "%v: %s, %.0f %% done\n", now.Elapsed.Round(time.Second), text, min(1, now.Done)*100)
	}
}

// made shows how many runs a machine has made of a campaign that has others.
func (p *progress) made(runs int, elapsed time.Duration) {
	text := fmt.Sprintf("%s made here, %.0f per second", english.Plural(runs, "run"), float64(runs)/elapsed.Seconds())
	switch {
	case p.bar != nil:
		p.bar.Describe(text)
		_ = p.bar.Set(1) // nobody here knows how far the campaign is
	case elapsed-p.said >= between:
		p.said = elapsed
		fmt.Fprintf(p.w, "%v: %s\n", elapsed.Round(time.Second), text)
	}
}

// shrinks shows what is left of a scenario, on a terminal: elsewhere it takes no time
// that is worth a line. How far the end is nobody knows.
func (p *progress) shrinks(step rashomon.ShrinkStep, sc *rashomon.Scenario) {
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%s: %v left", step.Pass, sizeOf(sc)))
		_ = p.bar.Set(min(999, int(p.bar.State().CurrentNum)+1))
	}
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
