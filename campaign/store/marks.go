package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/rashomon-go/rashomon/campaign"
)

// MarksFile says which runs are being made, a line of markSize bytes for each worker. It is
// there as long as a campaign is at work, and stays if that is killed, or kills itself: what
// a process has written outlives it, so that nothing must be synced.
const MarksFile = "campaign.runs"

const markSize = 256

// marks is the file, once a worker has made a run.
type marks struct {
	once sync.Once
	file *os.File
	err  error
}

// Mark notes that a worker makes a run, or with an empty family that it makes none: see
// campaign.Plan. Workers may call it at the same time.
func (c *Campaign) Mark(worker int, family string, seed uint64) error {
	m := &c.store.marks
	m.once.Do(func() { m.file, m.err = os.OpenFile(c.store.marksFile(), os.O_CREATE|os.O_WRONLY, 0o644) })
	if m.err != nil {
		return m.err
	}
	line := make([]byte, 0, markSize)
	if family != "" {
		line = append(strconv.AppendUint(line, seed, 10), ' ')
		line = append(line, family[:min(len(family), markSize-1-len(line))]...)
	}
	for len(line) < markSize-1 {
		line = append(line, ' ')
	}
	line = append(line, '\n')
	_, err := m.file.WriteAt(line, int64(worker)*markSize)
	return err
}

// closeMarks takes the marks away if all workers have come to an end.
func (s *Store) closeMarks() error {
	if s.marks.file == nil {
		return nil
	}
	if err := s.marks.file.Close(); err != nil {
		return err
	}
	left, err := s.suspects()
	if err != nil || len(left) > 0 {
		return err
	}
	return os.Remove(s.marksFile())
}

func (s *Store) marksFile() string { return filepath.Join(filepath.Dir(s.path), MarksFile) }

// suspect is a run that was being made when a campaign died.
type suspect struct {
	family string // as far as it fits
	seed   uint64
}

// suspects returns what the marks say that a campaign left behind which did not end well.
func (s *Store) suspects() (all []suspect, err error) {
	content, err := os.ReadFile(s.marksFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for line := range strings.Lines(string(content)) {
		var one suspect
		if _, err := fmt.Sscanf(line, "%d", &one.seed); err != nil {
			continue // nothing, or what a computer that lost its power has left of it
		}
		_, one.family, _ = strings.Cut(strings.TrimRight(line, " \n"), " ")
		all = append(all, one)
	}
	return all, err
}

// Isolate finds out whether one of the runs that were being made when the last campaign in
// the directory died has killed it, and keeps what it finds: those runs are done, and the
// plan gets a new Done. The others will be made as usual. It does nothing if the last campaign
// ended well, and may be called only before the plan is run. The command is that of
// campaign.Plan.Try.
func (c *Campaign) Isolate(ctx context.Context, p *campaign.Plan, command []string) error {
	suspects, err := c.store.suspects()
	if err != nil {
		return err
	}
	for _, one := range suspects {
		family, r, ok := one.in(p)
		if !ok {
			continue
		}
		crashes, err := p.Try(ctx, command, family, r)
		if err != nil {
			return err
		}
		for _, crash := range crashes {
			if err := c.keepCrash(p, crash); err != nil {
				return err
			}
		}
	}
	if err := os.Remove(c.store.marksFile()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// in returns which run of a plan the suspect is, if it is one that is not done.
func (s suspect) in(p *campaign.Plan) (family string, r campaign.Range, ok bool) {
	for i := range p.Cells {
		family = p.Cells[i].Family()
		if family == s.family || len(s.family) > markSize/2 && strings.HasPrefix(family, s.family) {
			r, ok = p.Open(family, s.seed)
			return family, r, ok
		}
	}
	return "", r, false
}

// keepCrash commits a crash at once, so that the next one, which may end the process, too,
// does not take it along.
func (c *Campaign) keepCrash(p *campaign.Plan, crash campaign.Crash) error {
	b, err := p.Crashed(crash)
	if err != nil {
		return err
	}
	if err := c.Keep(b); err != nil {
		return err
	}
	info, err := c.store.Find(c.ID)
	if err != nil {
		return err
	}
	p.Done, err = c.store.past(info)
	return err
}
