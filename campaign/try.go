package campaign

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Some runs cannot be made in the process of a campaign, because they end it: a stack that
// overflows, maps that are written to by two goroutines, memory that does not suffice, a call
// of os.Exit, a loop without end. Which ones they are, only a process that may die
// can tell.

// attempt is what a child is asked to do.
type attempt struct {
	Family string
	Range
}

// What a child says before each run, with its number, and in the end. The lines begin
// with a new one: components may print, too.
const (
	saysBegin = "rashomon begins "
	saysEnd   = "rashomon has ended"
)

// Try makes the runs of a range of a family in child processes, one after the other, and
// returns those that end their process, or do not end, in their order. Nothing else of
// the runs is kept: those that do no harm are to be made again.
//
// The command, with its arguments, starts a process that calls Child with an equal plan.
// A child that is killed (by whomever: it may have taken all memory) gets a second chance.
// The error says that children do not work at all, or is that of ctx.
func (p *Plan) Try(ctx context.Context, command []string, family string, r Range) (crashes []Crash, err error) {
	killed := -1 // the run at which the last child was killed
	for r.From < r.Until {
		run, how, err := p.child(ctx, command, attempt{family, r})
		switch {
		case err != nil:
			return nil, err
		case how == nil:
			return crashes, nil
		case how.killed && killed != run:
			killed, r.From = run, run
			continue
		}
		crashes = append(crashes, Crash{Family: family, Seed: p.Seed + uint64(run), How: how.how, Where: how.where, Said: how.said})
		r.From = run + 1
	}
	return crashes, nil
}

// child starts a child, and returns at which run it died, and of what: nil if it did not.
func (p *Plan) child(ctx context.Context, command []string, ask attempt) (run int, of *death, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	request, err := json.Marshal(ask)
	if err != nil {
		return 0, nil, err
	}
	words := &lastWords{}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(request)), words
	cmd.WaitDelay = time.Second // for what it may have started itself
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, nil, err
	}
	if err := cmd.Start(); err != nil {
		return 0, nil, fmt.Errorf("campaign: a child that would try a run cannot be started: %w", err)
	}
	var late atomic.Bool
	// A child sees to its time itself, if it still can.
	limit := 2*p.patience() + time.Second
	alarm := time.AfterFunc(limit, func() { late.Store(true); cancel() })
	defer alarm.Stop()
	run, ended := -1, false
	for lines := bufio.NewReader(out); !ended; {
		line, _, err := lines.ReadLine()
		if err != nil {
			break
		}
		if n, begins := strings.CutPrefix(string(line), saysBegin); begins {
			if run, err = strconv.Atoi(n); err != nil {
				break
			}
			alarm.Reset(limit)
		}
		ended = string(line) == saysEnd
	}
	died := cmd.Wait()
	switch {
	case late.Load():
		return run, &death{how: noEnd + p.patience().String()}, nil
	case ctx.Err() != nil:
		return run, nil, ctx.Err()
	case ended:
		return run, nil, nil
	case run < ask.From:
		return run, nil, fmt.Errorf("campaign: a child that would try runs %d to %d of %q ended before the first one (%s)", ask.From, ask.Until-1, ask.Family, words.death(died).how)
	}
	return run, words.death(died), nil
}

// Child is the other side of Try, in the process that it starts: it makes the runs that in
// asks for, as a campaign makes and classifies them, tells out how far it has come, and
// keeps nothing. If a run does not end it ends the process.
func (p *Plan) Child(in io.Reader, out io.Writer) error {
	var ask attempt
	if err := json.NewDecoder(in).Decode(&ask); err != nil {
		return fmt.Errorf("campaign: what is to be tried cannot be read: %w", err)
	}
	if err := p.validate(); err != nil {
		return err
	}
	c := &campaign{plan: *p, families: p.families(), classifier: newClassifier(nil)}
	f, err := c.familyNamed(ask.Family)
	if err != nil {
		return err
	}
	return c.try(f, ask.Range, out)
}

func (c *campaign) try(family int, r Range, out io.Writer) error {
	for i := r.From; i < r.Until; i++ {
		if _, err := fmt.Fprintf(out, "\n%s%d\n", saysBegin, i); err != nil {
			return err
		}
		alarm := time.AfterFunc(c.plan.patience(), func() { giveUp(c.plan.patience()) })
		found, err := c.run(family, c.plan.Seed+uint64(i))
		if err == nil {
			err = newBatch(&c.plan, c.families[family]).classify(c.classifier, found)
		}
		_ = err // the campaign will meet it again, and live
		alarm.Stop()
	}
	_, err := fmt.Fprintf(out, "\n%s\n", saysEnd)
	return err
}

// giveUp ends the process as the Go runtime does, with a trace of the goroutine that goes
// on and on.
func giveUp(limit time.Duration) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	all := strings.Split(string(stacks), "\n\n")
	busy := all[1:] // the first one is this one
	for _, one := range all[1:] {
		if head, _, _ := strings.Cut(one, "\n"); strings.Contains(head, "[running") || strings.Contains(head, "[runnable") {
			busy = []string{one}
		}
	}
	fmt.Fprintf(os.Stderr, "\n%s%v\n\n%s\n", noEnd, limit, strings.Join(busy, "\n\n"))
	os.Exit(2)
}
