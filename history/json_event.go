package history

import (
	"math"
	"strings"
	"time"

	"github.com/rashomon-go/rashomon/model"
)

// The fields of an event line.
const (
	fieldProcess = iota
	fieldType
	fieldOp
	fieldKey
	fieldExpect
	fieldValue
	fieldNode
	fieldID
	fieldSwapped
	fieldSeen
	fieldTime
	fieldEvents
	fields
)

var fieldNames = [fields]string{
	"process", "type", "op", "key", "expect", "value", "node", "id", "swapped", "seen", "time", "events",
}

type eventType uint8

const (
	typeInvoke eventType = iota
	typeOK
	typeFail
	typeUnknown
	typeEnd
)

var typeNames = [...]string{"invoke", "ok", "fail", "unknown", "end"}

func (t eventType) String() string { return typeNames[t] }

// What an event of each type must and may have. Types that end an operation say
// nothing that its invoke has said: so they cannot contradict it.
var (
	required = [...]uint16{
		typeInvoke:  set(fieldProcess, fieldType, fieldOp, fieldKey),
		typeOK:      set(fieldProcess, fieldType),
		typeFail:    set(fieldProcess, fieldType),
		typeUnknown: set(fieldProcess, fieldType),
		typeEnd:     set(fieldType, fieldEvents),
	}
	allowed = [...]uint16{
		typeInvoke:  set(fieldExpect, fieldValue, fieldNode, fieldID, fieldTime),
		typeOK:      set(fieldNode, fieldSwapped, fieldSeen, fieldTime),
		typeFail:    set(fieldNode, fieldTime),
		typeUnknown: set(fieldNode, fieldTime),
		typeEnd:     0,
	}
	// stored is what an invoke must have in addition, by kind, and no other kind
	// may have.
	stored = map[model.Kind]uint16{
		model.Write: set(fieldValue), model.Append: set(fieldValue), model.Add: set(fieldValue),
		model.Increment: set(fieldValue), model.Enqueue: set(fieldValue), model.Txn: set(fieldValue), model.CAS: set(fieldExpect, fieldValue),
	}
)

func set(fields ...int) uint16 {
	var s uint16
	for _, f := range fields {
		s |= 1 << f
	}
	return s
}

// jsonEvent is one line of a history after its header.
type jsonEvent struct {
	present uint16
	at      [fields]int // where each field's value begins
	typ     eventType
	op      model.Kind
	swapped bool
	process int32
	id      int64
	events  int64
	time    time.Duration
	key     []byte
	node    []byte
	expect  jsonValue
	value   jsonValue
	seen    jsonValue
}

func (e *jsonEvent) has(field int) bool { return e.present&(1<<field) != 0 }

func (e *jsonEvent) outcome() Outcome {
	switch e.typ {
	case typeOK:
		return OK
	case typeFail:
		return Fail
	}
	return Unknown
}

func (e *jsonEvent) parse(line []byte) error {
	c := jsonCursor{line: line}
	if err := c.open(); err != nil {
		return err
	}
	for {
		name, err := c.field(e.present == 0)
		if err != nil {
			return err
		}
		if name == nil {
			return c.end()
		}
		field := fieldNumber(name)
		if field < 0 {
			return wrong(c.nameAt, "unknown field %q, expected process, type, op, key, expect, value, node, id, swapped, seen, time or events", name)
		}
		if e.has(field) {
			return wrong(c.nameAt, "field %q twice, expected it once", name)
		}
		e.present |= 1 << field
		e.at[field] = c.i
		if err := e.take(&c, field); err != nil {
			return err
		}
	}
}

func fieldNumber(name []byte) int {
	for f, s := range fieldNames {
		if s == string(name) {
			return f
		}
	}
	return -1
}

func (e *jsonEvent) take(c *jsonCursor, field int) (err error) {
	var n int64
	switch field {
	case fieldProcess:
		n, err = c.integer(math.MinInt32, math.MaxInt32)
		e.process = int32(n)
	case fieldID:
		e.id, err = c.integer(math.MinInt32, math.MaxInt32)
	case fieldTime:
		n, err = c.integer(0, math.MaxInt64)
		e.time = time.Duration(n)
	case fieldEvents:
		e.events, err = c.integer(0, math.MaxInt64)
	case fieldType:
		e.typ, err = c.eventType()
	case fieldOp:
		e.op, err = c.kind()
	case fieldKey:
		e.key, err = c.text()
	case fieldNode:
		e.node, err = c.text()
	case fieldExpect:
		e.expect.jsonScalar, err = c.value()
	case fieldValue:
		e.value, err = c.valueOr(func() error { _, err := c.step(); return err })
	case fieldSeen:
		e.seen, err = c.valueOr(func() error { _, err := c.value(); return err })
	case fieldSwapped:
		e.swapped, err = c.boolean()
	}
	return err
}

func (c *jsonCursor) eventType() (eventType, error) {
	at := c.i
	s, err := c.text()
	if err != nil {
		return 0, err
	}
	for t, name := range typeNames {
		if name == string(s) {
			return eventType(t), nil
		}
	}
	return 0, wrong(at, "type %q, expected invoke, ok, fail, unknown or end", s)
}

func (c *jsonCursor) kind() (model.Kind, error) {
	at := c.i
	s, err := c.text()
	if err != nil {
		return 0, err
	}
	for k := model.Read; k <= model.LastKind; k++ {
		if k.String() == string(s) {
			return k, nil
		}
	}
	return 0, wrong(at, "op %q, expected read, write, cas, delete, append, add, increment, acquire, release, enqueue, dequeue or txn", s)
}

// orDelete says what to say instead of null, for messages.
func orDelete(k model.Kind) string {
	if k == model.Write {
		return " (a delete leaves nothing)"
	}
	return ""
}

func articleOf(k model.Kind) string {
	if strings.ContainsRune("aeiou", rune(k.String()[0])) {
		return "an " + k.String()
	}
	return "a " + k.String()
}

func article(t eventType) string {
	if t == typeFail {
		return "a fail"
	}
	return "an " + t.String()
}

// check refuses a line that has too few or too many fields for what it is.
func (e *jsonEvent) check() error {
	if !e.has(fieldType) {
		return wrong(0, `an event without "type", expected invoke, ok, fail, unknown or end`)
	}
	need, what := required[e.typ], article(e.typ)
	may := need | allowed[e.typ]
	if e.typ == typeInvoke && e.has(fieldOp) {
		what += " of " + articleOf(e.op)
		need |= stored[e.op]
		may = may&^set(fieldExpect, fieldValue) | stored[e.op]
	}
	for f, name := range fieldNames {
		bit := uint16(1) << f
		if need&bit != 0 && e.present&bit == 0 {
			return wrong(0, "%s without %q, expected it", what, name)
		}
		if e.present&^may&bit != 0 {
			return wrong(e.at[f], "field %q in %s, expected no such field there", name, what)
		}
	}
	return nil
}
