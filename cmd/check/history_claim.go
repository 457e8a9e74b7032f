package main

import (
	"slices"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/history"
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
	return checker.Result{Judgement: j}, err
}
