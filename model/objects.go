package model

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Mutex returns the model of a lock: to acquire it succeeds while it is free, to
// release it while it is held, by whomever. At first it is free.
func Mutex() Model { return mutex }

var mutex = builtIn(Spec[bool]{
	Name:     "mutex",
	Kinds:    []Kind{Acquire, Release},
	Step:     stepMutex,
	Hash:     hashMutex,
	Describe: describeMutex,
}.Model())

func stepMutex(held bool, op Op) (bool, bool) {
	acquires := op.Kind == Acquire
	if held == acquires {
		return held, op.Open
	}
	return acquires, true
}

func hashMutex(held bool) uint64 {
	if held {
		return 1
	}
	return 0
}

func describeMutex(held bool) string {
	if held {
		return "held"
	}
	return "free"
}

// Counter returns the model of a number that is 0 at first, and that can be
// increased (by less than nothing, too) and read.
func Counter() Model { return counter }

var counter = builtIn(Spec[int64]{
	Name:    "counter",
	Kinds:   []Kind{Read, Increment},
	Step:    stepCounter,
	Hash:    func(n int64) uint64 { return hashValue(Value(n)) },
	Strange: noCount,
}.Model())

func stepCounter(n int64, op Op) (int64, bool) {
	if op.Kind == Increment {
		return n + int64(op.Value), true
	}
	return n, op.Open || op.Seen == Unseen || op.Seen == Value(n)
}

// noCount says why an operation is not one on a counter, which always holds a number.
func noCount(op Op) string {
	if op.Kind == Read && !op.Open && op.Seen == Absent {
		return "saw nil, expected a number"
	}
	return ""
}

// Queue returns the model of a queue, empty at first: what was enqueued first is
// dequeued first. A dequeue that tells Absent found it empty.
func Queue() Model { return queue }

var queue = builtIn(Spec[[]Value]{
	Name:     "queue",
	Kinds:    []Kind{Enqueue, Dequeue},
	Step:     stepQueue,
	Equal:    slices.Equal[[]Value],
	Hash:     hashQueue,
	Describe: describeQueue,
}.Model())

func stepQueue(list []Value, op Op) ([]Value, bool) {
	if op.Kind == Enqueue {
		return append(slices.Clip(list), op.Value), true
	}
	if len(list) == 0 {
		return list, op.Open || op.Seen == Absent || op.Seen == Unseen
	}
	if !op.Open && op.Seen != list[0] && op.Seen != Unseen {
		return list, false
	}
	if len(list) == 1 {
		return nil, true
	}
	return list[1:], true
}

func hashQueue(list []Value) uint64 {
	h := uint64(len(list))
	for _, v := range list {
		h = hashValue(Value(h*31 + uint64(v)))
	}
	return h
}

func describeQueue(list []Value) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = v.String()
	}
	return "[" + strings.Join(words, " ") + "]"
}

// Set returns the model of a set of numbers that only grows, empty at first. It
// sees a set by its SeenText.
func Set() Model { return set }

var set = builtIn(Spec[string]{
	Name:  "set",
	Kinds: []Kind{Read, Add},
	Init:  "{}",
	Step:  stepSet,
	Hash:  hashText,
}.Model())

func stepSet(held string, op Op) (string, bool) {
	if op.Kind == Read {
		return held, op.Open || op.Seen == Unseen || op.SeenText == held
	}
	return withElement(held, int64(op.Value)), true
}

// withElement returns a set such as {1 3} with one element more.
func withElement(held string, v int64) string {
	inside := held[1 : len(held)-1]
	at := 0
	for rest := inside; rest != ""; {
		word, after, _ := strings.Cut(rest, " ")
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			n = math.MinInt64 // such a state comes from nowhere
		}
		if n == v {
			return held
		}
		if n > v {
			break
		}
		at, rest = len(inside)-len(after), after
	}
	word := strconv.FormatInt(v, 10)
	switch {
	case inside == "":
		return "{" + word + "}"
	case at == len(inside):
		return "{" + inside + " " + word + "}"
	}
	return "{" + inside[:at] + word + " " + inside[at:] + "}"
}

// List returns the model of a list that can be appended to and read, empty at
// first. Elements are texts without spaces, commas and brackets; what a read saw is a
// text such as "[1 2 3]", or nothing.
func List() Model { return list }

var list = builtIn(Spec[string]{
	Name:    "list",
	Kinds:   []Kind{Read, Append},
	Init:    "[]",
	Step:    stepList,
	Hash:    hashText,
	Strange: noList,
	Texts:   true,
}.Model())

func stepList(held string, op Op) (string, bool) {
	if op.Kind == Read {
		return held, op.Open || op.Seen == Unseen || op.SeenText == held || op.SeenText == "" && held == "[]"
	}
	if held == "[]" {
		return "[" + op.Text + "]", true
	}
	return held[:len(held)-1] + " " + op.Text + "]", true
}

// noList says why an operation is not one on a list. What is written otherwise than
// lists are, such as "[1,2]", would never be what Step expects.
func noList(op Op) string {
	switch {
	case op.Kind == Append && !isElement(op.Text):
		return "adds " + strconv.Quote(op.Text) + ", expected an element: a text without spaces, commas and brackets"
	case op.Kind == Read && !op.Open && op.SeenText != "" && !isList(op.SeenText):
		return "saw " + strconv.Quote(op.SeenText) + ", expected a list such as [1 2]"
	}
	return ""
}

func isElement(text string) bool { return text != "" && !strings.ContainsAny(text, " ,[]") }

func isList(text string) bool {
	inside, opened := strings.CutPrefix(text, "[")
	inside, closed := strings.CutSuffix(inside, "]")
	if !opened || !closed {
		return false
	}
	if inside == "" {
		return true
	}
	for element := range strings.SplitSeq(inside, " ") {
		if !isElement(element) {
			return false
		}
	}
	return true
}
