package formats

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// Format is a way to write a history down.
type Format uint8

const (
	Auto        Format = iota // found out from the content
	JSONLines                 // the lines of history.Write
	EDN                       // Jepsen: a vector or a stream of operation maps
	JepsenLog                 // Jepsen: lines such as "0 :invoke :read nil", with or without a logger's prefix
	PorcupineKV               // porcupine: a stream or vector of EDN maps that all have a :key
)

var formatNames = [...]string{
	Auto: "auto", JSONLines: "jsonl", EDN: "edn", JepsenLog: "jepsen-log", PorcupineKV: "porcupine-kv",
}

// String returns the name that ParseFormat takes.
func (f Format) String() string {
	if int(f) < len(formatNames) {
		return formatNames[f]
	}
	return fmt.Sprintf("format(%d)", uint8(f))
}

// ParseFormat returns the format of a name.
func ParseFormat(name string) (Format, error) {
	for f, s := range formatNames {
		if s == name {
			return Format(f), nil
		}
	}
	return 0, fmt.Errorf("format %q, expected one of %s", name, strings.Join(formatNames[:], ", "))
}

// Info says what a reader found beside the history.
type Info struct {
	// Format is the format that was read. It is Auto only for an empty file
	// whose format was to be found out.
	Format Format
	Gzip   bool // the file was compressed

	Nemesis int // operations of no client, left out
	Skipped int // lines of a log that are no operations, left out

	// FailedCAS counts the compare-and-sets that failed without an :error: they
	// are taken as an answer, "the expected value was not there".
	FailedCAS int
	// Notes are sentences about doubtful places, for people.
	Notes []string
}

// Read reads the history in r, whose name stands in errors. With Auto it finds
// the format out from the first bytes. An empty file is an empty history, in
// every format but JSONLines, which it is if its name ends in .jsonl or .jsonl.gz.
//
// It reads no further than the first mistake, and keeps no more in memory than
// the history so far and one operation.
func Read(r io.Reader, name string, format Format) (*history.History, Info, error) {
	info := Info{Format: format}
	in, err := plain(r, &info)
	if err != nil {
		return nil, info, &history.ReadError{Name: name, Line: 1, Column: 1, Err: err}
	}
	if format == Auto {
		if info.Format, err = detect(in); err != nil {
			return nil, info, &history.ReadError{Name: name, Line: 1, Column: 1, Err: err}
		}
		if info.Format == Auto && strings.HasSuffix(strings.TrimSuffix(name, ".gz"), ".jsonl") {
			info.Format = JSONLines // which lacks its header
		}
	}
	h, err := read(in, name, &info)
	return h, info, err
}

func read(in *bufio.Reader, name string, info *Info) (*history.History, error) {
	switch info.Format {
	case Auto:
		return &history.History{}, nil
	case JSONLines:
		return history.ReadJSONLines(in, name)
	case EDN, PorcupineKV:
		return readEDN(in, name, info)
	case JepsenLog:
		return readLog(in, name, info)
	}
	return nil, fmt.Errorf("%s, expected one of %s", info.Format, strings.Join(formatNames[:], ", "))
}

// plain returns what is in r, decompressed, without a byte order mark.
func plain(r io.Reader, info *Info) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, peeked)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("a damaged gzip header (%w), expected a gzip file", err)
		}
		info.Gzip = true
		in = bufio.NewReaderSize(unpacked{z}, peeked)
	}
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
		in.Discard(3)
	}
	return in, nil
}

// unpacked explains the errors of a decompressor.
type unpacked struct{ *gzip.Reader }

func (u unpacked) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("damaged or cut off compressed data (%w), expected a whole gzip file", err)
	}
	return n, err
}

// peeked is how much of a file must suffice to tell its format.
const peeked = 64 << 10

// detect tells the format by the first character that is not white space or an
// EDN comment. It returns Auto for an empty file.
func detect(in *bufio.Reader) (Format, error) {
	head, err := in.Peek(peeked)
	if err != nil && err != io.EOF && len(head) == 0 {
		return 0, err
	}
	text := afterComments(head)
	switch {
	case len(bytes.TrimSpace(head)) == 0:
		return Auto, nil
	case len(text) == 0:
		return EDN, nil // nothing but comments, as far as one can see
	case text[0] == '{' && bytes.HasPrefix(bytes.TrimSpace(text[1:]), []byte(`"`)):
		return JSONLines, nil
	case text[0] == '{' && firstHasKey(text):
		return PorcupineKV, nil
	case bytes.IndexByte([]byte("{[(#^"), text[0]) >= 0:
		return EDN, nil
	}
	first, _, _ := bytes.Cut(bytes.TrimLeft(head, "\r\n\t "), []byte("\n"))
	if _, operation := operationPart(first); operation || isLogLine(first) {
		return JepsenLog, nil
	}
	return 0, errors.New("an unknown format, expected JSON lines, an EDN history, a Jepsen log or a porcupine log")
}

func afterComments(text []byte) []byte {
	for {
		text = bytes.TrimLeft(text, " \t\r\n,")
		if len(text) == 0 || text[0] != ';' {
			return text
		}
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
}

// firstHasKey reports whether the first operation in text has a :key, as those
// of porcupine have.
func firstHasKey(text []byte) bool {
	s := scanner{buf: text, line: 1}
	f, err := s.form(0)
	if err != nil {
		return false
	}
	for i := 0; i+1 < len(f.items); i += 2 {
		if f.items[i].is(keyword, "key") {
			return true
		}
	}
	return false
}

// SuggestModel names the specification that fits the operations of h: "set" if it
// is of sets, "mutex", "queue", "counter" or "multi-register" if they do what only
// these know,
// "list" if they append and every read told a text such as "[1 2]", "kv" if they
// append otherwise, "cas-register" if they compare and set, "kv" if they hold
// texts, and otherwise "register".
func SuggestModel(h *history.History) string {
	suggestion := "register"
	switch {
	case h.Sets != nil:
		return "set"
	case h.Texts != nil:
		suggestion = "kv"
	}
	for i := range h.Ops {
		switch h.Ops[i].Kind {
		case model.Acquire, model.Release:
			return "mutex"
		case model.Enqueue, model.Dequeue:
			return "queue"
		case model.Increment:
			return "counter"
		case model.Txn:
			return "multi-register"
		case model.Append:
			if lists(h) {
				return "list"
			}
			return "kv"
		case model.CAS:
			suggestion = "cas-register"
		}
	}
	return suggestion
}

// lists reports whether the texts of h are lists: some read told one, and no
// operation has anything to do with other texts.
func lists(h *history.History) bool {
	found := false
	for i := range h.Ops {
		o := &h.Ops[i]
		seen := h.ModelOp(i).SeenText
		switch {
		case o.Kind != model.Read && o.Kind != model.Append:
			return false
		case o.Kind == model.Append && strings.ContainsAny(h.ModelOp(i).Text, " []"):
			return false
		case o.Kind == model.Append || o.Outcome != history.OK || o.Seen < 0:
		case len(seen) < 2 || seen[0] != '[' || seen[len(seen)-1] != ']':
			return false
		default:
			found = true
		}
	}
	return found
}
