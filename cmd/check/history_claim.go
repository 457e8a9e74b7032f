package main

import (
	"slices"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// sessionNames are what a session of a history may be.
var sessionNames = []string{"auto", "client", "client-and-node"}

// aboutSessions returns the names of the claims to which it matters what a session is.
func aboutSessions() (names []string) {
	for _, c := range checker.Claims() {
		if c.Sessions {
			names = append(names, c.Name)
		}
	}
	return names
}

// sessionsOf returns what a session is, and says it in words if there was a choice. A
// client is one of those that the history names, or else a process.
func sessionsOf(h *history.History, j *judging) (of checker.Sessions, note string) {
	clients := len(h.Clients)
	if !slices.Contains(aboutSessions(), j.claim) {
		return checker.PerClient(clients), ""
	}
	nodes := slices.ContainsFunc(h.Ops, func(o history.Op) bool { return o.Node != history.NoNode })
	switch {
	case j.session == "client-and-node":
		return checker.PerClientAndNode(clients), "a session is what a client did at one node"
	case j.session == "auto" && h.Pinned:
		return checker.PerClientAndNode(clients), "a session is what a client did at one node, as the file says"
	case nodes:
		note = "a session is all that a client did, at whatever node"
	}
	return checker.PerClient(clients), note
}

// judgeClaim judges another claim than linearizability. Operations without a number
// are those of the end, if others have one.
func judgeClaim(h *history.History, name string, of checker.Sessions, opt checker.Options) (checker.Result, error) {
	c, err := claimNamed(name)
	if err != nil {
		return checker.Result{}, err
	}
	terms := checker.Terms{Steps: opt.Steps, Sessions: of}
	if slices.ContainsFunc(h.Ops, func(o history.Op) bool { return o.ID != 0 }) {
		for i := range h.Ops {
			if h.Ops[i].ID == 0 {
				terms.Final = append(terms.Final, i)
			}
		}
	}
	j, err := c.Judge(h, terms)
	if missing := withoutEnd(h, terms.Final); c.Final && j.Verdict == checker.Unknown && missing != "" {
		j.Reason += "; " + missing
	}
	return checker.Result{Judgement: j}, err
}

// withoutEnd says what to do about a history that has no reads at the end, and is empty
// if it has some.
func withoutEnd(h *history.History, final []int) string {
	const are = "reads at the end are operations without id in a file in which others have one"
	switch {
	case slices.ContainsFunc(final, func(i int) bool { return h.Ops[i].Kind == model.Read }):
		return ""
	case !slices.ContainsFunc(h.Ops, func(o history.Op) bool { return o.ID != 0 }):
		return are + ": no operation has an id, expected an id from 1 upwards for all but the reads at the end"
	}
	return are + ": all reads have an id, expected none for those at the end"
}
