package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon"
	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/history/formats"
	"github.com/rashomon-go/rashomon/internal/english"
	"github.com/rashomon-go/rashomon/internal/wholefile"
	"github.com/rashomon-go/rashomon/model"
)

// linearizable is the claim that is judged unless another one is asked for.
const linearizable = string(rashomon.Linearizable)

// judging is how to judge histories.
type judging struct {
	model, format, engine, claim string
	session                      string
	steps                        int64
	json, explain                bool
	html, svg                    string // files for a page and for its drawing
}

func (a *app) historyCommand() *cobra.Command {
	var j judging
	cmd := &cobra.Command{
		Use:   "history [--model M] FILE|DIR…",
		Short: "Judge recorded histories, from the simulator or from a real system",
		Long: `history reads recorded histories and says of each whether it is linearizable, one
line a file. Of a single file, or with --explain of each, the lines below say why: the
few operations that contradict each other, and what was doubtful in the file. Below
several files stands a summary.

With --claim, it judges another property, such as staleness: how old reads are. For
durable, convergent and set-converges, reads at the end are the operations without id in
a file of JSON lines in which others have one.

A directory stands for the files in and below it that end in .jsonl, .edn, .log or .txt,
perhaps with .gz behind; where there is a history.edn, for that alone.

With --html, a page that shows a single history is written to a file, whatever the
verdict: processes as lanes, operations as bars, those that contradict each other
standing out. If it is not linearizable, porcupine's own page is written beside it
(page-porcupine.html for page.html), where that needs few operations and steps.

Formats: jsonl (ours), edn (Jepsen), jepsen-log and porcupine-kv (text logs); gzip is
read directly, and - is standard input. The format is found out from the content and
the model from the operations, unless they are given. A file that cannot be read does
not keep the others from being judged; of several exit statuses the gravest counts:
4, 3, 1, 2, 0.`,
		Example: `  check history history.edn
  check history --model cas-register etcd_*.log
  check history --html page.html history.edn
  check history --claim staleness history.edn
  check history store/
  gunzip < history.jsonl.gz | check history -`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("no file, expected one or more histories, directories, or - for standard input")
			}
			if first := slices.Index(args, "-"); first >= 0 && slices.Contains(args[first+1:], "-") {
				return errors.New("- twice, expected it once: standard input can be read once")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := historyFiles(args)
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("explain") {
				j.explain = len(files) == 1
			}
			if err := j.validate(cmd, files); err != nil {
				return err
			}
			return a.histories(&j, files)
		},
	}
	j.flags(cmd)
	return cmd
}

func (j *judging) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&j.model, "model", "auto", "judge by this `MODEL`: "+modelNames())
	f.StringVar(&j.format, "format", "auto", "the files are in this `FORMAT`: auto, jsonl, edn, jepsen-log, porcupine-kv")
	f.StringVar(&j.engine, "engine", "auto", "judge with this `ALGORITHM`: "+strings.Join(checker.EngineNames(), ", "))
	f.StringVar(&j.claim, "claim", linearizable, "judge this `PROPERTY`: "+strings.Join(claimNames(), ", "))
	f.StringVar(&j.session, "session", "auto", "for claims about sessions, a session is what a `CLIENT` did: client (all of it), client-and-node (at one node), or auto (what the file says, or else client)")
	f.Int64Var(&j.steps, "steps", 0, "give up on a key after `N` steps of a search, or as many as fit into 1 GiB of memory: the verdict is then unknown (default 2000000)")
	f.BoolVar(&j.json, "json", false, "print a line of JSON for each file; one that was not judged has an error in place of a verdict")
	f.BoolVar(&j.explain, "explain", false, "say why, in lines below that of each file (default for a single file)")
	f.StringVar(&j.html, "html", "", "write a page that shows the history to this `FILE`")
	f.StringVar(&j.svg, "svg", "", "write the drawing of the page as an SVG image to this `FILE`")
	complete(cmd, "model", func() []string { return strings.Split(modelNames(), ", ") })
	complete(cmd, "format", func() []string { return []string{"auto", "jsonl", "edn", "jepsen-log", "porcupine-kv"} })
	complete(cmd, "engine", checker.EngineNames)
	complete(cmd, "claim", claimNames)
	complete(cmd, "session", func() []string { return sessionNames })
}

func modelNames() string {
	names := []string{"auto"}
	for _, m := range model.All() {
		names = append(names, m.Name())
	}
	return strings.Join(names, ", ")
}

func (j *judging) validate(cmd *cobra.Command, files []string) error {
	if j.steps < 0 || j.steps == 0 && cmd.Flags().Changed("steps") {
		return fmt.Errorf("--steps %d, expected a number from 1 upwards", j.steps)
	}
	if j.claim != linearizable && (cmd.Flags().Changed("model") || cmd.Flags().Changed("engine")) {
		return fmt.Errorf("--model or --engine with --claim %s, expected them with linearizable only: other claims are about registers", j.claim)
	}
	switch {
	case !slices.Contains(sessionNames, j.session):
		return fmt.Errorf("--session %q, expected %s", j.session, strings.Join(sessionNames, ", "))
	case j.session != "auto" && !slices.Contains(aboutSessions(), j.claim):
		return fmt.Errorf("--session with --claim %s, expected a claim about sessions: %s", j.claim, strings.Join(aboutSessions(), ", "))
	}
	for _, picture := range []struct{ flag, file string }{{"html", j.html}, {"svg", j.svg}} {
		switch {
		case picture.file == "" && cmd.Flags().Changed(picture.flag):
			return fmt.Errorf("--%s \"\", expected a file to write", picture.flag)
		case picture.file != "" && len(files) > 1:
			return fmt.Errorf("--%s for %d files, expected one history", picture.flag, len(files))
		case picture.file != "":
			if err := writableFile("--"+picture.flag, picture.file); err != nil {
				return err
			}
		}
	}
	return nil
}

// histories judges file after file. A file that cannot be read does not keep the
// others from being judged.
func (a *app) histories(j *judging, files []string) error {
	format, err := formats.ParseFormat(j.format)
	if err != nil {
		return fmt.Errorf("--format: %w", err)
	}
	engine, err := checker.ParseEngine(j.engine)
	if err != nil {
		return fmt.Errorf("--engine: %w", err)
	}
	if j.model != "auto" {
		if _, err := model.ByName(j.model); err != nil {
			return fmt.Errorf("--model: %w", err)
		}
	}
	if _, err := claimNamed(j.claim); err != nil {
		return fmt.Errorf("--claim: %w", err)
	}
	opt := checker.Options{Engine: engine, Steps: j.steps}
	all := tally{began: time.Now()}
	for _, file := range files {
		r, err := a.judgeFile(j, file, format, opt)
		if err != nil {
			fmt.Fprintf(a.err, "check: %v\n", err)
			a.status = graver(a.status, a.graveError(err))
			all.refused++
			if j.json {
				if err := printJSONLine(a.out, refusedFile{file, err.Error()}); err != nil {
					return err
				}
			}
			continue
		}
		all.add(r)
		a.status = graver(a.status, statusOf(r.verdict))
		if err := r.print(a.out, j); err != nil {
			return err
		}
		if err := j.draw(r); err != nil {
			return err
		}
	}
	if j.json {
		return nil
	}
	return all.print(a.out)
}

// draw writes the page and the image of a history, if they are wanted.
func (j *judging) draw(r *historyReport) error {
	if j.html == "" && j.svg == "" {
		return nil
	}
	page := r.page()
	if j.html != "" {
		second, beside := r.porcupine(), strings.TrimSuffix(j.html, filepath.Ext(j.html))+"-porcupine.html"
		if err := wholefile.Optional(beside, second); err != nil {
			return brokenError{notWritten("--html", beside, err)}
		}
		if second != nil {
			page.Porcupine = filepath.Base(beside)
		}
		if err := wholefile.Write(j.html, page.Write); err != nil {
			return brokenError{notWritten("--html", j.html, err)}
		}
	}
	if j.svg != "" {
		if err := wholefile.Write(j.svg, page.WriteSVG); err != nil {
			return brokenError{notWritten("--svg", j.svg, err)}
		}
	}
	return nil
}

func (a *app) judgeFile(j *judging, file string, format formats.Format, opt checker.Options) (*historyReport, error) {
	f, err := open(a.in, file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	began := time.Now()
	h, info, err := formats.Read(readingOf(f, file, a.err), file, format)
	if err != nil {
		return nil, err
	}
	if j.claim != linearizable {
		of, note := sessionsOf(h, j)
		r, err := judgeClaim(h, j.claim, of, opt)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, said{err})
		}
		if note != "" {
			info.Notes = append(info.Notes, note)
		}
		report := newHistoryReport(file, h, info, "", r, time.Since(began))
		report.Claim = j.claim
		if j.session != "auto" {
			report.session = " --session " + j.session
		}
		return report, nil
	}
	name := j.model
	if name == "auto" {
		name = formats.SuggestModel(h)
	}
	m, err := model.ByName(name)
	if err != nil {
		return nil, err
	}
	r, err := checker.Linearizable(h, m, opt)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, said{err})
	}
	return newHistoryReport(file, h, info, name, r, time.Since(began)), nil
}

// refusedFile is a file that was not judged, for programs.
type refusedFile struct {
	File  string `json:"file"`
	Error string `json:"error"`
}

// said is an error of the checker, without the name of its package.
type said struct{ error }

func (s said) Error() string { return strings.TrimPrefix(s.error.Error(), "checker: ") }

func (s said) Unwrap() error { return s.error }

// historyReport is the judgement of one file, for programs.
type historyReport struct {
	File       string   `json:"file"`
	Verdict    string   `json:"verdict"`
	Reason     string   `json:"reason,omitempty"`
	Sentence   string   `json:"sentence,omitempty"`
	Witness    []string `json:"witness,omitempty"`
	Operations int      `json:"operations"`
	OK         int      `json:"ok"`
	Failed     int      `json:"failed"`
	Unknown    int      `json:"unknown"`
	Keys       int      `json:"keys"`
	Format     string   `json:"format"`
	Model      string   `json:"model,omitempty"` // of the object, unless another claim was judged
	Claim      string   `json:"claim"`
	Engines    []string `json:"engines,omitempty"` // that judged some key
	Notes      []string `json:"notes,omitempty"`
	Seconds    float64  `json:"seconds"`

	verdict checker.Verdict
	history *history.History
	witness []int
	session string // flag
}

func newHistoryReport(file string, h *history.History, info formats.Info, m string, r checker.Result, took time.Duration) *historyReport {
	counts := h.Stats().All
	report := &historyReport{
		File: file, Verdict: r.Verdict.String(), verdict: r.Verdict, history: h, witness: r.Witness, Reason: r.Reason, Sentence: r.Sentence,
		Operations: len(h.Ops), OK: counts.OK, Failed: counts.Fail, Unknown: counts.Unknown, Keys: len(h.Keys),
		Format: info.Format.String(), Model: m, Claim: linearizable, Notes: info.Notes, Seconds: took.Seconds(),
	}
	for _, i := range r.Witness {
		report.Witness = append(report.Witness, fmt.Sprintf("process %d: %s", h.Ops[i].Process, h.OpString(i)))
	}
	for _, name := range checker.EngineNames() {
		if slices.ContainsFunc(r.Keys, func(k checker.KeyResult) bool { return k.Engine.String() == name }) {
			report.Engines = append(report.Engines, name)
		}
	}
	return report
}

func (r *historyReport) print(w io.Writer, j *judging) error {
	if j.json {
		return printJSONLine(w, r)
	}
	format := r.Format
	if r.Operations == 0 && format == formats.Auto.String() {
		format = "empty"
	}
	var b strings.Builder
	as := " as " + r.Model
	if r.other() {
		as = ", " + r.Claim
	}
	fmt.Fprintf(&b, "%s: %s (%s, %s%s, %s)\n", r.File, r.Verdict, english.Plural(r.Operations, "operation"), format, as,
		time.Duration(r.Seconds*float64(time.Second)).Round(100*time.Microsecond))
	if j.explain {
		r.explain(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *historyReport) explain(b *strings.Builder) {
	for _, line := range []string{r.Reason, r.Sentence} {
		if line != "" {
			fmt.Fprintf(b, "  %s\n", line)
		}
	}
	for _, op := range r.Witness {
		fmt.Fprintf(b, "    %s\n", op)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(b, "  note: %s\n", note)
	}
}
