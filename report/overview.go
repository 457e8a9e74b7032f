package report

import (
	"fmt"
	"strings"
)

// overview is the whole run in a strip, with the drawn time marked in it: so
// that one sees where in the run one is.
type overview struct {
	Path    string // how many operations were under way
	Faults  []tint
	Windows []tint
	Marks   []px // calls of the witness
	From    string
	Until   string
}

const (
	overviewWidth  = 1000.0
	overviewHeight = 30.0
	overviewBins   = 200
)

func newOverview(s *scene) overview {
	scale := overviewWidth / float64(max(s.run.until, 1))
	box := func(t span) tint {
		x := px(float64(t.from) * scale)
		return tint{X: x, W: max(px(float64(t.length())*scale), 2), H: overviewHeight}
	}
	v := overview{Path: density(s), From: "0", Until: ms(s.run.until) + " ms"}
	for _, b := range s.page.Faults[:min(len(s.page.Faults), maxRows)] {
		v.Faults = append(v.Faults, box(span{b.From, max(b.From, b.Until)}))
	}
	for _, t := range s.axis.spans {
		v.Windows = append(v.Windows, box(t))
	}
	for _, i := range s.witness[:min(len(s.witness), maxWitness)] {
		v.Marks = append(v.Marks, box(s.opSpan(i)).X)
	}
	return v
}

// density draws how many operations were called when, as an area.
func density(s *scene) string {
	var bins [overviewBins]int
	most := 1
	for i := range s.h.Ops {
		n := int(float64(s.h.Ops[i].CalledAt) / float64(max(s.run.until, 1)) * overviewBins)
		n = max(min(n, overviewBins-1), 0)
		bins[n]++
		most = max(most, bins[n])
	}
	var path strings.Builder
	fmt.Fprintf(&path, "M0 %v", px(overviewHeight))
	for i, n := range bins {
		x, y := px(i*overviewWidth/overviewBins), px(overviewHeight)-px(n)/px(most)*22
		fmt.Fprintf(&path, "L%v %vh%v", x, y, px(overviewWidth/overviewBins))
	}
	fmt.Fprintf(&path, "V%vZ", px(overviewHeight))
	return path.String()
}
