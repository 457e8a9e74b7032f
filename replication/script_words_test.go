package replication_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	. "github.com/rashomon-go/rashomon/replication"
	"github.com/rashomon-go/rashomon/sim"
)

func split(words []string) (args []string, options map[string]string) {
	options = map[string]string{}
	for _, w := range words {
		if key, value, found := strings.Cut(w, "="); found {
			options[key] = value
		} else {
			args = append(args, w)
		}
	}
	return args, options
}

func span(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err)
	}
	return d
}

func integer(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// inWords prints a message so that a line of a script stays short.
func inWords(m sim.Message) sim.Message {
	switch m := m.(type) {
	case Write:
		return fmt.Sprintf("%s, request %d", change(m), m.Request.Number)
	case Read:
		return "read " + m.Key
	case Written:
		if !m.Swapped {
			return "not swapped, saw " + number(m.Seen)
		}
		return "written"
	case Value:
		return "value " + number(m.Value)
	case Redirect:
		return fmt.Sprintf("ask node %d", m.To)
	case Refused:
		return "refused"
	case Replicate:
		return fmt.Sprintf("Replicate %d: %s; committed %d", m.Entry.Seq, change(m.Entry.Write), m.Committed)
	case Commit:
		return fmt.Sprintf("Commit %d", m.Committed)
	case ReplicationAck:
		return fmt.Sprintf("ReplicationAck %d; knows commits %d", m.Seq, m.Committed)
	case Join:
		return fmt.Sprintf("Join, has %d", lastOf(m.Runs))
	case Welcome:
		return fmt.Sprintf("Welcome, committed %d", m.Committed)
	case Newer:
		return fmt.Sprintf("refused, promised %d", m.Number)
	case Propagate:
		return fmt.Sprintf("Propagate %d: %s", m.Entry.Seq, change(m.Entry.Write))
	case VersionQuery:
		return fmt.Sprintf("VersionQuery %q", m.Key)
	case VersionReply:
		return fmt.Sprintf("VersionReply %d", m.Seq)
	case Connect:
		return fmt.Sprintf("Connect, has %d", m.Last)
	case Connected:
		return fmt.Sprintf("Connected, has %d", m.Last)
	case CatchUp:
		return fmt.Sprintf("CatchUp, has %v", m.Runs)
	case Missing:
		return fmt.Sprintf("Missing: in common %d, then %d of %d", m.Common, len(m.Entries), m.Last)
	case WriteAck:
		return fmt.Sprintf("WriteAck %d", m.Seq)
	}
	if strings.HasPrefix(sim.DescribeMessage(m), "retransmit") {
		return "retransmit"
	}
	return leadersInWords(m)
}

func change(w Write) string {
	if w.Kind == CompareAndSet {
		return fmt.Sprintf("%s=%d if %d", w.Key, w.Value, w.Expect)
	}
	if w.Kind == NoOp {
		return "no-op"
	}
	if w.Kind == Delete {
		return "delete " + w.Key
	}
	return fmt.Sprintf("%s=%d", w.Key, w.Value)
}

func number(n int64) string {
	if n == Absent {
		return "nothing"
	}
	return strconv.FormatInt(n, 10)
}

// lastOf returns the end of a log.
func lastOf(runs []Position) (seq uint64) {
	if len(runs) > 0 {
		seq = runs[len(runs)-1].Seq
	}
	return seq
}
