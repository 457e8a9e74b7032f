package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon/campaign/corpus"
	"github.com/rashomon-go/rashomon/campaign/store"
	"github.com/rashomon-go/rashomon/internal/wholefile"
	"github.com/rashomon-go/rashomon/report/site"
)

func (a *app) reportCommand() *cobra.Command {
	var w siteWriter
	var zoo string
	var follow bool
	cmd := &cobra.Command{
		Use:   "report [DIR | --db URL]",
		Short: "Write a static site that tells what a campaign has done and found",
		Long: `report reads the last campaign of a directory, rashomon-out if none is given, or of a
database that fuzz --db wrote to, and writes a site of plain files: open index.html, or
upload all of them as they are. They need no server, no network and no script.

index.html says what came of the campaign, and why; which failures there were, by
signature; and, row by row, what was run, what was exercised, and which features of the
protocols were reached. Each signature has a page with the smallest example, which is
run again for that, and the commands that show it again.

summary.md is the short of it, in Markdown: for the summary of a CI step. issue-ID.md is
the text of an issue on a failure that is not muted.

The exit status is that of fuzz for this campaign: 0 if everything turned out as the
tables of claims say, 1 if a claim was broken or a scenario of the corpus fails, 2 if
too little happened or the campaign is under way, and 4 if it cannot be relied on. The scenarios of the
corpus are run again for that, if the campaign is the last one; it is no part of a
database, so that --db takes --corpus for it.

--follow writes the site again and again while a campaign is at work there, and once more
when it has ended; the index reloads itself until then. It waits some seconds for one to
begin.`,
		Example: `  check report
  check report nightly -o public && echo all is well
  check report nightly --campaign 3 -o third
  check report --db postgres://me@host/campaigns -o public --corpus nightly/corpus
  check fuzz --for 8h --dir nightly & check report --follow nightly`,
		RunE: func(_ *cobra.Command, args []string) (err error) {
			if err := w.locate(args); err != nil {
				return err
			}
			if w.campaign < 0 {
				return fmt.Errorf("--campaign %d, expected one that check campaign list names", w.campaign)
			}
			if w.zoo, err = readZoo(a.in, zoo); err != nil {
				return err
			}
			w.filmed = map[string]filmed{}
			if follow {
				return a.follow(&w)
			}
			return a.report(&w)
		},
	}
	f := cmd.Flags()
	f.StringVar(&w.from.db, "db", "", "the campaigns of the PostgreSQL database at this `URL`, in place of a directory")
	f.StringVarP(&w.out, "output", "o", "", "write the site to this `DIR` (default site in the directory of the campaign, with --db rashomon-site)")
	f.Int64Var(&w.campaign, "campaign", 0, "the campaign of this number `N` (default the last one)")
	f.StringVar(&w.corpus, "corpus", "", "run the scenarios of this `DIR` (default corpus in the directory of the campaign, with --db none)")
	f.StringVar(&zoo, "zoo", "", "show how often planted bugs are caught, from this `FILE` that check zoo --json printed; - is standard input")
	f.BoolVar(&follow, "follow", false, "write it again and again until the campaign has ended")
	return cmd
}

// siteWriter writes the site of a campaign, once or again and again.
type siteWriter struct {
	from     place
	out      string
	corpus   string // "" means that there is none
	campaign int64  // 0 means the last one
	zoo      *zooReport
	follows  bool // it will write again

	filmed map[string]filmed // by signature: what need not be run again
	ran    []corpus.Outcome  // what came of the corpus, likewise
}

// locate says where the campaign is, and where the site goes, by default.
func (w *siteWriter) locate(args []string) error {
	switch {
	case len(args) > 1:
		return fmt.Errorf("%d directories, expected one that check fuzz wrote to", len(args))
	case w.from.db != "" && len(args) > 0:
		return errors.New("a directory and --db exclude each other, expected one of them")
	case w.from.db != "":
		w.out = cmp.Or(w.out, "rashomon-site")
		return nil
	}
	w.from.dir = "rashomon-out"
	if len(args) == 1 {
		w.from.dir = args[0]
	}
	w.out, w.corpus = cmp.Or(w.out, filepath.Join(w.from.dir, "site")), cmp.Or(w.corpus, filepath.Join(w.from.dir, corpusDir))
	return nil
}

func (a *app) report(w *siteWriter) error {
	return w.from.read(func(s *store.Store) error { return a.reportOn(s, w) })
}

func (a *app) reportOn(s *store.Store, w *siteWriter) error {
	w.follows, w.ran = false, nil
	j, index, err := w.write(s)
	if err != nil {
		return err
	}
	a.status = statusOfGrade(j.Grade)
	_, err = fmt.Fprintf(a.out, "%s: %s: %s\n%s\n", index.Title, index.Verdict, index.Headline, filepath.ToSlash(filepath.Join(w.out, indexFile)))
	return err
}

// followEvery is the time between two writings, and followFor how long a campaign is
// waited for, with a look at every lookEvery.
const (
	followEvery = 5 * time.Second
	followFor   = 10 * time.Second
	lookEvery   = 500 * time.Millisecond
)

// follow waits for a campaign, and writes its site until it has ended.
func (a *app) follow(w *siteWriter) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // whoever asks twice does not want the site
	for began := time.Now(); ; {
		waits := func() bool { return time.Since(began) < followFor && ctx.Err() == nil }
		opened := false
		err := w.from.readUntil(ctx, a.say, func(s *store.Store) error {
			opened = true
			return a.followOn(ctx, s, w, waits)
		})
		if opened || !waits() {
			return err
		}
		pause(ctx, lookEvery) // its database may be in the making
	}
}

// followOn writes the site of a campaign that is at work, or that begins while it is
// waited for. The store stays open: to open it is to look whether it is whole.
func (a *app) followOn(ctx context.Context, s *store.Store, w *siteWriter, waits func() bool) error {
	for seen := false; ; {
		switch busy, err := s.Busy(); {
		case err != nil:
			return err
		case ctx.Err() != nil, !busy && (seen || !waits()):
			return a.reportOn(s, w)
		case !busy:
			pause(ctx, lookEvery)
			continue
		}
		seen = true
		w.follows = true
		if _, _, err := w.write(s); err != nil && !errors.Is(err, store.ErrNone) { // none: it is about to begin
			return err
		}
		pause(ctx, followEvery)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// The files of the site beside those of the signatures.
const (
	indexFile   = "index.html"
	summaryFile = "summary.md"
)

// prepare makes the directory, and sees that no page of somebody else is in the way.
func (w *siteWriter) prepare() error {
	if err := writable("-o", w.out); err != nil {
		return err
	}
	name := filepath.Join(w.out, indexFile)
	switch page, err := os.ReadFile(name); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("-o: %w, expected a directory to write to", plainError(err))
	case !bytes.Contains(page, []byte(site.Mark)):
		return fmt.Errorf("-o: %s was written by somebody else, expected a directory for the site alone", name)
	}
	return nil
}

// write reads the campaign and writes its site, the index last, so that all is there
// that it links to.
func (w *siteWriter) write(s *store.Store) (j judged, index *site.Page, err error) {
	if j, err = readJudged(s, w.campaign); err != nil {
		return j, nil, err
	}
	j.follows = w.follows
	j.where = "--dir " + quoted(fromSite(w.out, w.from.dir))
	if w.from.db != "" {
		j.where = "--db " + quoted(s.String())
	}
	if err := w.prepare(); err != nil {
		return j, nil, err
	}
	if err := w.runCorpus(&j); err != nil {
		return j, nil, err
	}
	j.Conclusion = concluded(j.Evidence, j.info.State)
	if err := w.groups(&j); err != nil {
		return j, nil, err
	}
	index = j.index(w.zoo)
	if err := w.file(summaryFile, index.WriteMarkdown); err != nil {
		return j, nil, err
	}
	if err := w.file(indexFile, index.Write); err != nil {
		return j, nil, err
	}
	return j, index, w.clean(&j)
}

// runCorpus runs the corpus, of which an earlier campaign knew other scenarios.
func (w *siteWriter) runCorpus(j *judged) (err error) {
	if !j.last || w.corpus == "" {
		return nil
	}
	if w.ran == nil {
		w.ran, err = runCorpus(w.corpus, j.mutes)
	}
	j.Corpus = w.ran
	return err
}

// groups writes the pages of the signatures.
func (w *siteWriter) groups(j *judged) error {
	for i := range j.Groups {
		g := &j.Groups[i]
		f, known := w.filmed[g.ID]
		if !known || f.text != g.Scenario {
			var err error
			if f, err = w.film(g); err != nil {
				return err
			}
			w.filmed[g.ID] = f
		}
		page := j.group(g, f)
		if err := w.file(groupFile(g.ID), page.Write); err != nil {
			return err
		}
		if g.Muted != "" {
			continue
		}
		if err := w.file(issueFile(g.ID), page.WriteMarkdown); err != nil {
			return err
		}
	}
	return nil
}

func (w *siteWriter) file(name string, write func(io.Writer) error) error {
	path := filepath.Join(w.out, name)
	if err := wholefile.Write(path, write); err != nil {
		return brokenError{notWritten("-o", path, err)}
	}
	return nil
}

// ofGroup are the names of files that belong to a signature.
var ofGroup = regexp.MustCompile(`^(group|run|issue)-([0-9a-f]{8})(-porcupine)?\.(html|md|svg|yaml)$`)

// clean removes what earlier reports have written of signatures that are gone, or muted.
// All other files stay.
func (w *siteWriter) clean(j *judged) error {
	files, err := os.ReadDir(w.out)
	if err != nil {
		return brokenError{notWritten("-o", w.out, err)}
	}
	muted := map[string]bool{} // of the signatures that there are
	for _, g := range j.Groups {
		muted[g.ID] = g.Muted != ""
	}
	for _, f := range files {
		name := ofGroup.FindStringSubmatch(f.Name())
		if name == nil {
			continue
		}
		if known, there := muted[name[2]]; there && !(known && name[1] == "issue") {
			continue
		}
		if err := os.Remove(filepath.Join(w.out, f.Name())); err != nil {
			return brokenError{notWritten("-o", w.out, err)}
		}
	}
	return nil
}
