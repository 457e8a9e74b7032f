package main

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
	"github.com/rashomon-go/rashomon/report"
)

// page shows a history that comes from elsewhere: there are operations, and no
// messages.
func (r *historyReport) page() *report.Page {
	p := &report.Page{
		Title: filepath.Base(r.File), Verdict: r.Verdict, Sentence: cmp.Or(r.Sentence, r.Reason),
		Claim:   r.claim(),
		Replay:  called() + " history " + r.flags() + " " + quoted(filepath.ToSlash(r.File)),
		History: r.history, Witness: r.witness, Names: r.history.Clients,
		Facts: []report.Fact{
			{Name: "operations ok", Value: fmt.Sprint(r.OK)}, {Name: "operations failed", Value: fmt.Sprint(r.Failed)},
			{Name: "operations unknown", Value: fmt.Sprint(r.Unknown)}, {Name: "keys", Value: fmt.Sprint(r.Keys)},
			{Name: "format", Value: r.Format}, {Name: "judged by", Value: strings.Join(r.Engines, ", ")},
		},
	}
	if m, err := model.ByName(r.Model); err == nil {
		p.Order = checker.LongestLegal(r.history, m, r.witness)
	}
	for _, note := range r.Notes {
		p.Facts = append(p.Facts, report.Fact{Name: "note", Value: note})
	}
	for _, f := range r.history.Faults {
		p.Faults = append(p.Faults, report.Band{From: f.From, Until: min(f.Until, end(r.history)), Text: f.Text})
	}
	if timeless(r.history) {
		p.History, p.Timeless = inPositions(r.history), true
		p.Facts = append(p.Facts, report.Fact{Name: "time", Value: "the file has none: the axis counts events"})
	}
	p.Facts = slices.DeleteFunc(p.Facts, func(f report.Fact) bool { return f.Value == "" })
	return p
}

// porcupine returns what writes porcupine's own page of the history, or nil.
func (r *historyReport) porcupine() func(io.Writer) error {
	m, err := model.ByName(r.Model)
	if err != nil {
		return nil // another claim, or no model
	}
	return checker.PorcupinePage(r.history, m, r.witness)
}

// end is the time of the last event.
func end(h *history.History) (last time.Duration) {
	for i := range h.Ops {
		last = max(last, h.Ops[i].CalledAt, h.Ops[i].ReturnedAt)
	}
	return last
}

// other says whether the report is about another claim than linearizability.
func (r *historyReport) other() bool { return r.Claim != linearizable }

func (r *historyReport) claim() string {
	if r.other() {
		return r.Claim
	}
	return "linearizable as a " + r.Model
}

func (r *historyReport) flags() string {
	if r.other() {
		return "--claim " + r.Claim + r.session
	}
	return "--model " + r.Model
}

// timeless says whether a history tells the order of its events and no times.
func timeless(h *history.History) bool {
	return !slices.ContainsFunc(h.Ops, func(o history.Op) bool { return o.CalledAt != 0 || o.ReturnedAt != 0 })
}

// inPositions returns a history with the positions of its events for times.
// Operations that did not return last until the end.
func inPositions(h *history.History) *history.History {
	drawn := *h
	drawn.Ops = slices.Clone(h.Ops)
	last := int64(0)
	for i := range drawn.Ops {
		o := &drawn.Ops[i]
		last = max(last, o.Call)
		if o.Return != history.Never {
			last = max(last, o.Return)
		}
	}
	for i := range drawn.Ops {
		o := &drawn.Ops[i]
		o.CalledAt = time.Duration(o.Call) * time.Millisecond
		o.ReturnedAt = time.Duration(min(o.Return, last+1)) * time.Millisecond
	}
	return &drawn
}
