package main

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/internal/english"
	"github.com/rashomon-go/rashomon/sim"
)

// look is at which events of a run the user wants to see the replicas.
type look struct {
	until int // this one, if stops
	stops bool
	step  bool // all of them
}

// look shows the replicas at the events that are wanted.
func (a *app) look(s *rashomon.System, sc *rashomon.Scenario, look look) error {
	if !look.stops && !look.step {
		return nil
	}
	replay, err := rashomon.NewReplay(s, sc)
	if err != nil {
		return err
	}
	defer replay.Close()
	v := &viewer{replay: replay, name: naming(sc.Names(s)), w: a.out, shown: map[string]string{}}
	if look.step {
		return v.step(a.in)
	}
	if look.until < 1 || !replay.To(look.until) {
		return fmt.Errorf("--until %d, expected 1..%d, the events of the run", look.until, v.last())
	}
	return v.show()
}

// viewer shows a run event by event.
type viewer struct {
	replay *rashomon.Replay
	name   func(sim.NodeID) string
	w      io.Writer
	shown  map[string]string // the states that were shown last, by node
}

// show prints the current event and the states of the nodes.
func (v *viewer) show() error {
	var b strings.Builder
	fmt.Fprintln(&b, eventLine(v.replay.Event(), v.name))
	states := v.replay.States()
	width := 0
	for _, n := range states {
		width = max(width, len(n.Name))
	}
	for _, n := range states {
		text, mark := stateText(n), " "
		if before, known := v.shown[n.Name]; known && before != text {
			mark = "*"
		}
		v.shown[n.Name] = text
		fmt.Fprintf(&b, "     %s %-*s  %s\n", mark, width, n.Name, text)
	}
	_, err := io.WriteString(v.w, b.String())
	return err
}

func stateText(n rashomon.NodeState) string {
	if n.Down {
		return "down"
	}
	if len(n.State) == 0 {
		return "shows nothing"
	}
	parts := make([]string, len(n.State))
	for i, variable := range n.State {
		parts[i] = variable.Name + " = " + variable.Value
	}
	return strings.Join(parts, ", ")
}

// last goes to the end of the run and returns the number of its last event.
func (v *viewer) last() int {
	last := 0
	v.replay.To(last) // before the first event
	for v.replay.Next() {
		last = int(v.replay.Event().Seq)
	}
	return last
}

// step shows the first event, and then those that are asked for.
func (v *viewer) step(in io.Reader) error {
	at := 1
	lines := bufio.NewScanner(in)
	for {
		if err := v.goTo(&at); err != nil {
			return err
		}
		if !lines.Scan() {
			return lines.Err()
		}
		switch word := strings.TrimSpace(lines.Text()); word {
		case "", "n":
			at++
		case "p":
			at--
		case "q":
			return nil
		default:
			number, err := strconv.Atoi(word)
			if err != nil {
				fmt.Fprintf(v.w, "%q, expected Enter, n, p, q or the number of an event\n", word)
				continue
			}
			at = number
		}
	}
}

// goTo shows an event. In the place of one that is not there it shows the nearest one,
// and there is one: nobody asks a run without operations what happened in it.
func (v *viewer) goTo(at *int) error {
	*at = max(*at, 1)
	if int(v.replay.Event().Seq) != *at && !v.replay.To(*at) {
		last := v.last()
		fmt.Fprintf(v.w, "the run has %s\n", english.Plural(last, "event"))
		*at = last
		v.replay.To(last)
	}
	return v.show()
}
