package campaign

import "time"

// Progress is how far a campaign has come, all that was done before included.
type Progress struct {
	Runs, Violations int // Violations of claims, panics and crashes, not of what is not claimed
	PerSecond        float64
	Reached, Known   int // features of all systems, reached and altogether
	Elapsed          time.Duration
	Done             float64       // 0..1, of the limit that is nearer; 0 if there is none
	Left             time.Duration // until then; 0 if nobody knows
}

// progress returns how far a campaign has come that has been at work for so long.
func (p *Plan) progress(r *Report, elapsed time.Duration) Progress {
	now := Progress{Runs: r.Runs, Elapsed: elapsed}
	now.PerSecond = float64(r.Runs-r.Before) / elapsed.Seconds()
	if all := p.total(len(p.families())); all > 0 {
		now.Done = min(1, float64(r.Runs)/all)
		if left := max(0, all-float64(r.Runs)); now.PerSecond > 0 {
			now.Left = time.Duration(min(1<<62, left/now.PerSecond*float64(time.Second)))
		}
	}
	if p.For > 0 {
		now.Done = min(1, max(now.Done, elapsed.Seconds()/p.For.Seconds()))
		if left := max(0, p.For-elapsed); now.Left == 0 || left < now.Left {
			now.Left = left
		}
	}
	for i := range r.Cells {
		now.Violations += r.Cells[i].Unexpected()
	}
	now.Reached, now.Known = r.reached()
	return now
}
