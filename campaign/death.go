package campaign

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// death is how a process ended.
type death struct {
	how, where, said string // as Crash has them
	killed           bool   // by a signal that no program can answer
}

// fatal begins what the Go runtime says of what cannot be recovered from, and noEnd what
// giveUp says.
const (
	fatal = "fatal error: "
	noEnd = "did not end within "
)

// lastWords reads what a process writes to its standard error, and remembers the last
// fatal error, or panic, in it, with the first function of its trace that is not of
// the Go runtime.
type lastWords struct {
	line       []byte // the last one, as far as it was read
	how, where string
	function   string // of the trace, whose file and line come next
	last       string // line that is not empty
}

// maxLine is how much of a line is read.
const maxLine = 1000

func (w *lastWords) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		w.line = append(w.line, line[:min(len(line), max(0, maxLine-len(w.line)))]...)
		if whole {
			w.read(string(w.line))
			w.line = w.line[:0]
		}
		rest = after
	}
	return len(p), nil
}

func (w *lastWords) read(line string) {
	switch {
	case strings.HasPrefix(line, fatal), strings.HasPrefix(line, "panic: "), strings.HasPrefix(line, noEnd):
		w.how, w.where, w.function = line, "", ""
	case strings.HasPrefix(line, "goroutine "), strings.TrimSpace(line) == "":
		w.function = ""
	case w.how != "" && w.where == "" && strings.HasPrefix(line, "\t") && w.function != "":
		place, _, _ := strings.Cut(strings.TrimSpace(line), " +0x")
		w.where = fmt.Sprintf("%s (%s)", w.function, filepath.Base(place))
	case !strings.HasPrefix(line, "\t") && strings.HasSuffix(line, ")"):
		w.function = ofTrace(line)
	}
	if line = strings.TrimSpace(line); line != "" {
		w.last = line
	}
}

// ofTrace returns the function in a line of a trace, without its arguments, or nothing
// if it belongs to the Go runtime.
func ofTrace(line string) string {
	name := line[:max(0, strings.LastIndex(line, "("))]
	name = name[strings.LastIndex(name, "/")+1:]
	for _, ofRuntime := range []string{"runtime.", "maps.", "sync."} {
		if strings.HasPrefix(name, ofRuntime) || name == "panic" {
			return ""
		}
	}
	return name
}

// death says how the process ended, whose Wait returned err.
func (w *lastWords) death(err error) *death {
	if len(w.line) > 0 {
		w.read(string(w.line))
		w.line = nil
	}
	d := &death{how: w.how, where: w.where, said: w.last}
	var exit *exec.ExitError
	switch {
	case d.how != "":
		d.said = "" // the end of a trace
	case errors.As(err, &exit):
		d.how = exit.String()
	case err != nil:
		d.how = err.Error()
	default:
		d.how = "exit status 0"
	}
	d.killed = d.how == "signal: killed"
	return d
}
