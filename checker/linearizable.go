// Package checker judges histories: what clients saw, against what a system
// claims. It knows no system and no simulator.
//
// A check has three outcomes that must not be mixed. A Verdict says whether the
// history keeps the claim. An error says that the question made no sense: a
// history that breaks its contract, or operations that the model does not know.
// A CertificateError, or a panic, says that the checker contradicts itself.
package checker

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/rashomon-go/rashomon/history"
	"github.com/rashomon-go/rashomon/model"
)

// Options say how to check. The zero Options are the sensible ones.
type Options struct {
	Engine Engine // which algorithm judges

	// Steps limits the steps of a search on one key (0 means DefaultSteps),
	// and Bytes the memory that these steps may take (0 means DefaultBytes).
	// A search that reaches a limit ends with the verdict unknown, after the
	// same number of steps on every machine.
	Steps int64
	Bytes int64

	// VerdictOnly leaves the witness and its explanation out, for who checks
	// many histories of which most are invalid.
	VerdictOnly bool
}

// What Options mean by 0.
const (
	DefaultSteps int64 = 2_000_000
	DefaultBytes int64 = 1 << 30
)

// Result is the answer of Linearizable. The operations of its witness are all on
// one key.
type Result struct {
	Judgement
	Keys []KeyResult // Keys[k] is about History.Keys[k]
}

// KeyResult is the answer for the operations on one key.
type KeyResult struct {
	Key     string
	Verdict Verdict
	Ops     int    // operations judged: without failed ones, and without reads that have no answer
	Steps   int64  // steps that the search took, if one did
	Reason  string // why the verdict is unknown, or says little
	Engine  Engine // who judged, never Auto
}

// ErrNotApplicable says that the engine asked for cannot judge the operations
// of a key.
var ErrNotApplicable = errors.New("engine not applicable")

// Linearizable decides whether the history is linearizable with respect to m:
// whether each operation can be thought to happen at one moment between its
// call and its return, so that m allows all the answers.
//
// Operations that failed did not happen, and to read what they would have
// written is invalid. Operations with an unknown outcome may have happened at
// any time after their call, or not at all. The verdict on a history in which
// no operation succeeded is unknown. One in which no read was answered, or
// nothing was written, is valid, and Reason says how little that means.
//
// It returns an error if the history breaks its contract, if it has operations
// that m does not accept, or if opts.Engine cannot judge it (ErrNotApplicable).
//
// Keys are judged one after the other, each as the operations on it permit:
// those on a register in nearly linear time if no value is written twice,
// everything else by a search that is exponential in the number of concurrent
// operations at worst. A verdict is proved before it is given, unless
// opts.VerdictOnly is set: that a register is linearizable by an order of the
// operations, that anything is not by a witness. An engine that cannot prove its
// verdict has a bug; the error is then a *CertificateError. The answer is a
// function of the arguments alone. It is safe for concurrent use.
func Linearizable(h *history.History, m model.Model, opts Options) (Result, error) {
	c := checks.Get().(*check)
	defer c.release()
	c.m, c.opts = m, opts.withDefaults()
	if err := c.group(h); err != nil {
		return Result{}, fmt.Errorf("checker: %w", err)
	}
	if err := c.accept(h, m); err != nil {
		return Result{}, &modelError{"model " + m.Name(), err}
	}
	if !opts.VerdictOnly {
		c.verifier.prepare(h)
		c.verified = append(c.verified[:0], make([]bool, len(h.Keys))...)
	}
	r := Result{Judgement: Judgement{Verdict: Valid}, Keys: make([]KeyResult, len(h.Keys))}
	for k := range r.Keys {
		if err := c.judge(&r, k); err != nil {
			return Result{}, fmt.Errorf("checker: %w", err)
		}
	}
	if err := c.complete(); err != nil {
		return Result{}, fmt.Errorf("checker: %w", err)
	}
	if !c.succeeded {
		r.Verdict, r.Reason = Unknown, "no operation succeeded"
	}
	if r.Verdict == Valid {
		r.Reason = remark(h)
	}
	return r, nil
}

// remark says why it means little that a history is valid, if it does.
func remark(h *history.History) string {
	answered, stored := false, false
	for i := range h.Ops {
		switch o := &h.Ops[i]; {
		case o.Kind == model.Read:
			answered = answered || o.Outcome == history.OK && o.Seen != model.Unseen
		case o.Kind == model.CAS && o.Outcome == history.OK:
			answered, stored = true, stored || o.Swapped
		case o.Kind == model.Acquire || o.Kind == model.Release || o.Kind == model.Dequeue: // their success is an answer
			answered, stored = answered || o.Outcome == history.OK, stored || o.Outcome != history.Fail
		case o.Kind == model.Txn:
			for _, m := range h.Txn(o.Value) {
				answered = answered || m.Kind == model.Read && m.Value != model.Unseen
				stored = stored || m.Kind == model.Write && o.Outcome != history.Fail
			}
		default:
			stored = stored || o.Outcome != history.Fail
		}
		if answered && stored {
			return ""
		}
	}
	if !answered {
		return "no read was answered: any history of writes is linearizable"
	}
	return "nothing was written: only reads of nothing were tested"
}

func (o Options) withDefaults() Options {
	if o.Steps <= 0 {
		o.Steps = DefaultSteps
	}
	if o.Bytes <= 0 {
		o.Bytes = DefaultBytes
	}
	return o
}

// accept returns an error if m cannot judge operations like those of the history
// that was grouped.
func (c *check) accept(h *history.History, m model.Model) error {
	switch sets := m.Accepts(model.Add); {
	case len(h.Ops) == 0 && h.Sets == nil:
		return nil
	case h.Sets != nil && !sets:
		return errors.New("the history is of sets, to which elements are added; expected single values")
	case h.Sets == nil && sets:
		return notOfSets(h)
	case h.Texts != nil && m.Accepts(model.Increment):
		return errors.New("the history has texts, expected numbers")
	case h.Texts == nil && m.Texts():
		return errors.New("the history has no texts, expected texts for its values")
	}
	for k := model.Read; k <= model.LastKind; k++ {
		if c.kinds&(1<<k) != 0 && !m.Accepts(k) {
			return refuse(h, m)
		}
	}
	if m.Choosy() {
		return refuse(h, m)
	}
	return nil
}

// notOfSets is the error about a history that is to be of sets. Where things are added to a
// counter, what was read makes the difference.
func notOfSets(h *history.History) error {
	for i := range h.Ops {
		switch o := &h.Ops[i]; {
		case o.Kind != model.Read && o.Kind != model.Increment:
			return errors.New("the history is not of sets, expected reads and adds")
		case o.Kind == model.Read && o.Outcome == history.OK && o.Seen != model.Unseen:
			e := explanation{h: h}
			return fmt.Errorf("%s told a single value, expected a set of elements", e.tell(func() string { return e.full(int32(i)) }))
		}
	}
	return errors.New("the history is not of sets, expected reads and adds")
}

// modelError says that a history is not of the object that a model describes.
type modelError struct {
	what string // the model, or the claim
	err  error
}

func (e *modelError) Error() string { return "checker: " + e.what + ": " + e.err.Error() }

func (e *modelError) Unwrap() error { return e.err }

// ofClaim takes the name of a model that nobody named out of an error.
func ofClaim(err error) error {
	if e, ok := errors.AsType[*modelError](err); ok {
		return &modelError{"the claim is about registers", e.err}
	}
	return err
}

// refuse returns the error about the first operation that m cannot judge, if there is
// one. What a failed operation asked for is not looked at.
func refuse(h *history.History, m model.Model) error {
	for i := range h.Ops {
		if m.Accepts(h.Ops[i].Kind) && !counts(&h.Ops[i]) {
			continue
		}
		if err := m.Refuse(h.ModelOp(i)); err != nil {
			e := explanation{h: h}
			return fmt.Errorf("%s %w", e.tell(func() string { return e.full(int32(i)) }), err)
		}
	}
	return nil
}

// check is one run of Linearizable. Its buffers are used again by later runs.
type check struct {
	h    *history.History
	m    model.Model
	opts Options

	order     []int32     // indices of the operations that count, grouped by key
	ends      []int32     // ends[k] is the end of key k's part of order
	kinds     uint32      // a bit for each kind of operation that there is
	succeeded bool        // some operation did
	lo, hi    model.Value // all values that are stored, or may be, lie between them

	zones    zones
	blocks   blocks
	window   window
	verifier verifier
	verified []bool // by key, whether the verifier has seen an order
}

var checks = sync.Pool{New: func() any { return new(check) }}

// keep is the most that a run keeps of the memory of a search, for the next one.
const keep = 16 << 20

func (c *check) release() {
	c.h, c.m, c.verifier.h = nil, model.Model{}, nil
	if c.window.dead.size() > keep {
		c.window = window{}
	}
	checks.Put(c)
}

// group validates the history, fills order and ends by a counting sort, notes what
// there is, and prepares the index for the values that are stored.
func (c *check) group(h *history.History) error {
	c.h = h
	c.ends, c.order = append(c.ends[:0], make([]int32, len(h.Keys)+1)...), slices.Grow(c.order[:0], len(h.Ops))
	c.kinds, c.succeeded = 0, false
	c.lo, c.hi = math.MaxInt64, math.MinInt64
	if err := h.ValidateEach(c.count); err != nil {
		return err
	}
	c.zones.index.prepare(c.lo, c.hi, len(h.Ops))
	if len(h.Keys) < 2 { // in order already
		c.ends[0] = int32(len(c.order))
		return nil
	}
	for k := range h.Keys {
		c.ends[k+1] += c.ends[k]
	}
	for i := range h.Ops {
		if o := &h.Ops[i]; counts(o) {
			c.order[c.ends[o.Key]] = int32(i)
			c.ends[o.Key]++
		}
	}
	return nil
}

// count takes the operations from one to another: their number for each key, their
// kinds, and the least and the greatest value that is stored.
func (c *check) count(from, to int) {
	n, kinds, lo, hi := len(c.order), c.kinds, c.lo, c.hi
	order := c.order[:cap(c.order)]
	for i := from; i < to; i++ {
		o := &c.h.Ops[i]
		c.succeeded = c.succeeded || o.Outcome == history.OK
		kinds |= 1 << o.Kind
		if !counts(o) {
			continue
		}
		c.ends[o.Key+1]++
		order[n] = int32(i)
		n++
		if o.Value > model.Unseen {
			least, greatest := o.Value, o.Value
			if (1<<model.Write|1<<model.CAS)>>o.Kind&1 == 0 {
				least, greatest = lo, hi
			}
			lo, hi = min(lo, least), max(hi, greatest)
		}
	}
	c.order, c.kinds, c.lo, c.hi = order[:n], kinds, lo, hi
}

// part returns the operations that count on key k, in the order of their calls.
func (c *check) part(k int) []int32 {
	if k == 0 {
		return c.order[:c.ends[0]]
	}
	return c.order[c.ends[k-1]:c.ends[k]]
}

// judge adds the verdict on key k to r.
func (c *check) judge(r *Result, k int) error {
	ops := c.part(k)
	kr := &r.Keys[k]
	kr.Key, kr.Ops = c.h.Keys[k], len(ops)
	d, err := c.decide(ops, kr.Key)
	if err != nil {
		return err
	}
	kr.Engine, kr.Verdict, kr.Steps, kr.Reason = d.engine, d.verdict, d.steps, d.reason
	if kr.Verdict == Valid && !c.opts.VerdictOnly {
		if err := c.certify(int32(k), ops, d); err != nil {
			return err
		}
	}
	if kr.Reason == "" && !c.anySucceeded(ops) {
		kr.Reason = "no operation succeeded"
	}
	r.Verdict = r.Verdict.And(kr.Verdict)
	if kr.Verdict == Unknown && r.Reason == "" {
		r.Reason = kr.Reason
	}
	if kr.Verdict == Invalid && r.Witness == nil && !c.opts.VerdictOnly {
		return c.explain(r, k, ops, d)
	}
	return nil
}

// decision is what an engine says about a key.
type decision struct {
	engine  Engine
	verdict Verdict
	steps   int64
	reason  string
	zones   finding // why zones found it invalid
	blocks  flaw    // why blocks or greedy did
	few     []int32 // operations that are invalid whatever else happened, if nobody had to search
}

// quickPairs is of how many operations pairs are compared sooner than a search may end.
const quickPairs = 500

// contradict makes the verdict invalid if there are operations that contradict each other.
func (d *decision) contradict(few []int32) {
	if few != nil {
		d.verdict, d.reason, d.few = Invalid, "", few
	}
}

// decide lets the first engine judge that applies and that the options permit.
func (c *check) decide(ops []int32, key string) (decision, error) {
	want := c.opts.Engine
	if c.m.Register() {
		if want == Auto || want == Zones {
			if f, ok := c.byZones(ops); ok {
				return decision{engine: Zones, verdict: f.verdict(), zones: f}, nil
			}
		}
		if want == Auto || want == Blocks || want == Greedy {
			if d, ok := c.byBlocks(c.h.Ops, ops); ok {
				return d, nil
			}
		}
		if want == Auto || want == Window {
			d := c.byWindow(ops, key)
			if d.verdict == Unknown && want == Auto {
				d.contradict(c.contradiction(ops))
			}
			return d, nil
		}
	}
	if want != Auto && want != Porcupine {
		return decision{}, fmt.Errorf("key %s: %w: %s", key, ErrNotApplicable, applies[want])
	}
	d := decision{engine: Porcupine}
	few := len(ops) <= quickPairs
	if want == Auto && few {
		d.contradict(c.contradiction(ops))
	}
	if d.verdict != Invalid {
		d.verdict, d.steps, d.reason = c.bySearch(ops, key)
	}
	if want == Auto && !few && d.verdict == Unknown {
		d.contradict(c.contradiction(ops))
	}
	return d, nil
}

// applies says what engines apply to.
var applies = map[Engine]string{
	Zones:  "zones judges reads and writes of a register, each value written once",
	Blocks: "blocks judges reads, writes and compare-and-sets of a register, each value written once, and failures that tell why",
	Window: "window judges a register",
	Greedy: "greedy judges a register, each value written once, and failures that tell why, without compare-and-deletes of unknown outcome",
}

func (c *check) byZones(ops []int32) (finding, bool) {
	c.zones.ordered = !c.opts.VerdictOnly
	return c.zones.judge(c.h.Ops, ops)
}

// byBlocks judges the operations by blocks, or by greedy if something deletes.
// What is left out if a compare-and-set does not tell why it failed can only
// make the history valid.
func (c *check) byBlocks(ops []history.Op, part []int32) (decision, bool) {
	c.blocks.index = &c.zones.index
	f, ok := c.blocks.judge(ops, part)
	d := decision{engine: Blocks, verdict: Valid, blocks: f}
	if c.blocks.deletes || c.opts.Engine == Greedy {
		d.engine = Greedy
	}
	if f.broken != 0 {
		d.verdict = Invalid
	} else if c.blocks.partial {
		return d, false
	}
	return d, ok && (d.engine == c.opts.Engine || c.opts.Engine == Auto)
}

func (c *check) byWindow(ops []int32, key string) decision {
	d := decision{engine: Window, verdict: c.window.judge(c.h.Ops, ops, c.opts.Steps, c.opts.Bytes)}
	if d.steps = c.window.steps; d.verdict == Unknown {
		d.reason = fmt.Sprintf("key %s: the search spent its budget: %d steps, %d bytes remembered", key, d.steps, c.window.dead.size())
	}
	return d
}

func (c *check) bySearch(ops []int32, key string) (Verdict, int64, string) {
	s := search{h: c.h, m: c.m, steps: c.opts.Steps, bytes: c.opts.Bytes}
	v := s.judge(ops, history.Never)
	if v != Unknown {
		return v, s.used, ""
	}
	if s.used < s.steps {
		return v, s.used, fmt.Sprintf("key %s: budget of %d bytes of memory spent, after %d steps", key, s.bytes, s.used)
	}
	return v, s.used, fmt.Sprintf("key %s: budget of %d steps spent", key, s.used)
}

func (c *check) anySucceeded(ops []int32) bool {
	for _, i := range ops {
		if c.h.Ops[i].Outcome == history.OK {
			return true
		}
	}
	return false
}
