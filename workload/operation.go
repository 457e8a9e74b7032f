package workload

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/model"
)

// Operation is what one client does next: wait for a while, then ask. It begins when
// the client's operation before has ended, Think has passed since, and Start has
// come.
type Operation struct {
	ID     int32 // unique in the scenario; random numbers derive from it
	Client int   // c0, c1, …
	Kind   model.Kind
	Key    string
	Value  model.Value   // write, cas, add: what to store
	Expect model.Value   // cas: what must be there, or LastSeen
	Node   int           // place of the node that the client asks first
	Start  time.Duration // since the beginning of the run
	Think  time.Duration
	// Timeout is how long the client waits for a reply. In a scenario, 0 is the
	// scenario's; a client at work always finds a time here.
	Timeout time.Duration
}

// LastSeen as the Expect of a compare-and-set stands for the value of the key
// that the client saw last.
const LastSeen = model.Unseen

// String returns the operation in one line, such as "7 c0 write k1=12 at n2 after
// 3ms", or "8 c1 read k1 at n0 at 120ms timeout 50ms".
func (op Operation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d c%d %s %s", op.ID, op.Client, op.Kind, keyText(op.Key))
	switch op.Kind {
	case model.Write, model.Add:
		b.WriteString("=" + op.Value.String())
	case model.CAS:
		expect := op.Expect.String()
		if op.Expect == LastSeen {
			expect = "seen"
		}
		b.WriteString("=" + expect + "->" + op.Value.String())
	}
	b.WriteString(" at n" + strconv.Itoa(op.Node))
	for _, o := range op.options() {
		if *o.d != 0 {
			b.WriteString(" " + o.word + " " + o.d.String())
		}
	}
	return b.String()
}

// option is a word and a duration at the end of an operation's line.
type option struct {
	word string
	d    *time.Duration
}

func (op *Operation) options() [3]option {
	return [3]option{{"after", &op.Think}, {"at", &op.Start}, {"timeout", &op.Timeout}}
}

// keyText returns a key as operations print it: quoted if it would be misread.
func keyText(key string) string {
	if key == "" || strings.ContainsAny(key, " =\"\\") || strconv.Quote(key) != `"`+key+`"` {
		return strconv.Quote(key)
	}
	return key
}
