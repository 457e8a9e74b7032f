package queue

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/rashomon-go/rashomon/campaign"
	"github.com/rashomon-go/rashomon/campaign/store"
)

// Run carries out a plan together with all who join (Work): it opens the campaign, gives out
// jobs, works itself, and shuts the campaign when all runs are made, the time is up, ctx is
// cancelled, or at the first violation if the plan says so. It calls progress with what
// all have done. Plan.Done and Plan.Keep don't matter: the store has and keeps everything.
//
// Which runs there are beyond the first violation depends on the speed of the workers.
func Run(ctx context.Context, c *store.Campaign, p campaign.Plan, o Options, progress func(campaign.Progress)) *campaign.Report {
	h, err := newHead(c, p, o)
	if err != nil {
		return &campaign.Report{Err: err}
	}
	err = h.run(ctx, progress)
	r := h.plan.Recall()
	r.Before, r.Took = h.before, time.Since(h.began)
	r.Err = errors.Join(err, r.Err)
	return r
}

// head gives out the jobs of a campaign.
type head struct {
	campaign *store.Campaign
	plan     campaign.Plan
	options  Options
	size     int // runs of a job
	worker   *worker
	client   *river.Client[pgx.Tx]
	began    time.Time
	counted  time.Time // until when the campaign has the time of this head
	before   int       // runs
	seen     sightings
	tried    []given // before this head, by somebody who did not come to an end
}

func newHead(c *store.Campaign, p campaign.Plan, o Options) (h *head, err error) {
	now := time.Now()
	h = &head{campaign: c, plan: p, options: o.withDefaults(), began: now, counted: now, size: cmp.Or(o.Size, jobSize(&p))}
	h.seen.age = h.options.Age
	if h.worker, err = newWorker(c, p, h.options); err != nil {
		return nil, err
	}
	if h.plan.Done, err = c.Past(); err != nil {
		return nil, err
	}
	h.before = h.plan.Progress(0, time.Second).Runs
	return h, nil
}

func (h *head) run(ctx context.Context, progress func(campaign.Progress)) (err error) {
	if h.client, err = newClient(h.campaign, h.worker, h.options); err != nil {
		return err
	}
	if err := h.inherit(); err != nil { // before this machine takes a job, too
		return err
	}
	err = start(h.client, h.campaign)
	if err == nil {
		err = h.campaign.Open()
	}
	if err == nil {
		err = h.lead(ctx, progress)
	}
	if !errors.Is(err, store.ErrLed) { // else it is theirs now
		err = errors.Join(err, h.campaign.Shut())
	}
	stop(h.client, h.worker)
	if err != nil {
		return err
	}
	return h.settle()
}

// lead gives out jobs until the campaign has come to its end.
func (h *head) lead(ctx context.Context, progress func(campaign.Progress)) error {
	for look := time.NewTicker(h.options.Poll); ; {
		if err := h.campaign.Store().Lead(); err != nil { // again, if the database was gone
			return err
		}
		jobs, err := h.jobs()
		if err != nil {
			return err
		}
		if err := h.look(); err != nil { // after jobs: what has left those is in here
			return err
		}
		progress(h.plan.Progress(h.before, time.Since(h.began)))
		gaps := newGaps(&h.plan, h.size)
		switch {
		case gaps.none(), h.plan.StopAtFirst && h.plan.Broken():
			return nil
		case h.plan.For > 0 && time.Since(h.began) >= h.plan.For:
			return nil
		}
		if err := h.give(gaps, jobs, h.seen.young(jobs)); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-h.worker.failed:
			return h.worker.err
		case <-look.C:
		}
	}
}

// look adds the time since the last look to that of the campaign, which may not see its
// end, and reads what has been done.
func (h *head) look() (err error) {
	now := time.Now()
	if err := h.campaign.Worked(now.Sub(h.counted)); err != nil {
		return err
	}
	h.counted = now
	h.plan.Done, err = h.campaign.Past()
	return err
}

// The queue has this many jobs for whoever comes: enough for some hundred processors
// until the next look.
const (
	fewJobs  = 500
	manyJobs = 1000
)

// give puts jobs into the queue if it has few. Runs that somebody is at are given to
// somebody else, too, if that takes long and there is nothing else to do.
func (h *head) give(gaps gaps, jobs, young []given) error {
	waiting := 0
	for _, j := range jobs {
		if !j.running {
			waiting++
		}
	}
	if waiting >= fewJobs {
		return nil
	}
	next := gaps.jobs(jobs, manyJobs-waiting)
	if len(next) == 0 && waiting == 0 {
		next = gaps.jobs(young, manyJobs)
		for i := range next {
			next[i].Again = true
		}
	}
	if len(next) == 0 {
		return nil
	}
	insert := make([]river.InsertManyParams, len(next))
	for i, j := range next {
		j.Again = j.Again || slices.ContainsFunc(h.tried, j.overlaps)
		insert[i] = river.InsertManyParams{Args: j, InsertOpts: &river.InsertOpts{Queue: name(h.campaign)}}
	}
	return h.campaign.Store().Try(func(ctx context.Context) error {
		_, err := h.client.InsertManyFast(ctx, insert)
		return err
	})
}

// most is how many jobs are listed at a time: as many as River allows.
const most = 10_000

// jobs returns the jobs that are not done.
func (h *head) jobs() (all []given, err error) {
	states := []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled, rivertype.JobStatePending,
	}
	err = h.campaign.Store().Try(func(ctx context.Context) error {
		list, err := h.client.JobList(ctx, river.NewJobListParams().Queues(name(h.campaign)).States(states...).First(most))
		if err != nil {
			return err
		}
		all = nil
		for _, row := range list.Jobs {
			j := given{id: row.ID, attempt: row.Attempt, running: row.State == rivertype.JobStateRunning}
			if err := json.Unmarshal(row.EncodedArgs, &j.jobArgs); err != nil {
				return err
			}
			all = append(all, j)
		}
		return nil
	})
	return all, err
}

// inherit takes away the jobs of a head that died, which may have had other plans, and
// remembers those that nobody has ended.
func (h *head) inherit() error {
	jobs, err := h.jobs()
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if j.Again || j.attempt > 0 {
			h.tried = append(h.tried, j)
		}
	}
	return h.clear()
}

// clear takes away the jobs that nobody has begun.
func (h *head) clear() error {
	return h.campaign.Store().Try(func(ctx context.Context) error {
		waiting := river.NewJobDeleteManyParams().Queues(name(h.campaign)).
			States(rivertype.JobStateAvailable, rivertype.JobStateRetryable, rivertype.JobStateScheduled, rivertype.JobStatePending).First(most)
		_, err := h.client.JobDeleteMany(ctx, waiting)
		return err
	})
}

// settle waits until those who are at work have kept what they have, or have been
// silent for too long, and takes away what is left in the queue.
func (h *head) settle() error {
	for {
		if err := h.clear(); err != nil {
			return err
		}
		jobs, err := h.jobs()
		if err != nil {
			return err
		}
		if gaps := newGaps(&h.plan, h.size); gaps.none() || len(h.seen.young(jobs)) == 0 {
			break
		}
		time.Sleep(h.options.Poll / 5)
	}
	return h.look()
}
