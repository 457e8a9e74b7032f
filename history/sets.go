package history

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rashomon-go/rashomon/model"
)

// Set returns the elements that a read returned, given its Seen, in increasing
// order. They are nil if the answer told no set. They must not be changed.
func (h *History) Set(seen model.Value) []model.Value {
	if seen < 0 || int64(seen) >= int64(len(h.Sets)) {
		return nil
	}
	return h.Sets[seen]
}

func (h *History) seenString(seen model.Value) string {
	if h.Sets == nil || seen == model.Unseen {
		return h.ValueString(seen)
	}
	const most = 12
	set := h.Set(seen)
	s := setString(set[:min(most, len(set))])
	if len(set) > most {
		return fmt.Sprintf("%s and %d more}", s[:len(s)-1], len(set)-most)
	}
	return s
}

// setString returns a set such as {1 3}.
func setString(set []model.Value) string {
	words := make([]string, len(set))
	for i, v := range set {
		words[i] = v.String()
	}
	return "{" + strings.Join(words, " ") + "}"
}

// setFault reports in which way o breaks the contract of a history with sets,
// or of one without.
func (h *History) setFault(o *Op) error {
	switch {
	case h.Sets == nil && o.Kind == model.Add:
		return fmt.Errorf("an add in a history without sets, expected sets, even if there are none")
	case h.Sets == nil:
	case o.Kind != model.Add && o.Kind != model.Read:
		return fmt.Errorf("a %s in a history of sets, expected read or add", o.Kind)
	case o.Kind == model.Add && o.Value <= model.Unseen:
		return fmt.Errorf("adds no number, expected one")
	case o.sees() && o.Seen != model.Unseen && (o.Seen < 0 || int64(o.Seen) >= int64(len(h.Sets))):
		return fmt.Errorf("set number %d, expected 0..%d", o.Seen, len(h.Sets)-1)
	}
	return nil
}

// tableFault reports in which way the table of sets breaks the contract.
func (h *History) tableFault() error {
	if h.Sets != nil && h.Texts != nil {
		return fmt.Errorf("texts in a history of sets, expected numbers")
	}
	for n, set := range h.Sets {
		for i, v := range set {
			if v <= model.Unseen {
				return fmt.Errorf("set %d holds something that is no number", n)
			}
			if i > 0 && v <= set[i-1] {
				return fmt.Errorf("set %d holds %v behind %v, expected increasing elements", n, v, set[i-1])
			}
		}
	}
	return nil
}

// Set returns what the Seen of a read must be whose answer was this set. A
// history in which it was called once holds sets: its operations must be reads,
// whose Seen comes from Set or is Unseen, and adds.
func (r *Recorder) Set(elements ...model.Value) model.Value {
	set := append([]model.Value{}, elements...)
	slices.Sort(set)
	set = slices.Compact(set)
	if n := len(r.h.Sets); n > 0 && slices.Equal(set, r.h.Sets[n-1]) {
		return model.Value(n - 1)
	}
	r.h.Sets = append(r.h.Sets, set)
	return model.Value(len(r.h.Sets) - 1)
}
