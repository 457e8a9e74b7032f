package campaign

import (
	"fmt"
	"sync"
	"time"
)

// desk is where a worker says what it is at.
type desk struct {
	mu     sync.Mutex
	family string
	seed   uint64
	since  time.Time // zero if it makes no run
	marked bool      // Plan.Mark knows of a run
}

func (d *desk) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.since = time.Time{}
}

// mark says that a worker begins a run.
func (c *campaign) mark(worker int, family string, seed uint64) error {
	d := &c.desks[worker]
	d.mu.Lock()
	defer d.mu.Unlock()
	d.family, d.seed, d.since = family, seed, time.Now()
	if c.plan.Mark == nil {
		return nil
	}
	d.marked = true
	return c.plan.Mark(worker, family, seed)
}

// unmark says that a worker has no more to do.
func (c *campaign) unmark(worker int) error {
	if !c.desks[worker].marked {
		return nil
	}
	return c.plan.Mark(worker, "", 0)
}

// watch waits until all workers have ended, or one of them is at a run that does not
// end: then the campaign cannot go on, since nothing stops a goroutine.
func (c *campaign) watch(ended <-chan struct{}) {
	look := time.NewTicker(max(1, min(time.Second, c.plan.patience()/2)))
	defer look.Stop()
	for {
		select {
		case <-ended:
			return
		case <-look.C:
			if err := c.stuck(); err != nil {
				c.mu.Lock()
				c.fail(err)
				c.ended = true
				c.mu.Unlock()
				return
			}
		}
	}
}

// stuck returns an error if a run does not end.
func (c *campaign) stuck() error {
	for i := range c.desks {
		d := &c.desks[i]
		d.mu.Lock()
		family, seed, since := d.family, d.seed, d.since
		d.mu.Unlock()
		if !since.IsZero() && time.Since(since) > c.plan.patience() {
			return fmt.Errorf("campaign: %s, seed %d: the run %s%v, and cannot be stopped; who resumes the campaign goes on without it", family, seed, noEnd, c.plan.patience())
		}
	}
	return nil
}
