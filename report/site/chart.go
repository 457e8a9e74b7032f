package site

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/rashomon-go/rashomon/internal/english"
)

// chart is a drawing of runs over time. Its bars are stretched to the width of the
// page; what is written stands beside them.
type chart struct {
	Width       int // a bar is one unit wide, and 100 units are as high as Most
	Bars        []bar
	Breaks      []int // places where nothing was done for longer than is drawn
	Most, Half  string
	From, Until string
	Short       bool // the bars do not reach the right end
	Note        string
}

type bar struct {
	X           int
	Y, High     float64
	Description string
}

// maxBars is how many bars are told apart; leastWide is for how many there is room, so
// that a short campaign is no wall; mostIdle is how many of them may be empty
// before the chart leaves out the rest, in breakWide of them.
const (
	maxBars   = 240
	leastWide = 12
	mostIdle  = 8
	breakWide = 4
)

// newChart draws the runs of minutes that may come in any order, several of them in one
// bar if there are many.
func newChart(pace []Minute) chart {
	pace = slices.SortedFunc(slices.Values(pace), func(a, b Minute) int { return a.At.Compare(b.At) })
	each := time.Duration(len(pace)/maxBars+1) * time.Minute
	bars := summed(pace, each)
	most := 0.0
	for _, b := range bars {
		most = max(most, b.perMinute(each))
	}
	c := chart{Note: "Runs that were kept, by minute; the first and the last are not whole."}
	if each > time.Minute {
		c.Note = fmt.Sprintf("Runs that were kept per minute; a bar is %.0f minutes. The first and the last are not whole.", each.Minutes())
	}
	top := roundUp(most)
	c.Most, c.Half = rate(top), rate(top/2)
	for i, b := range bars {
		if i > 0 {
			switch idle := int(b.At.Sub(bars[i-1].At)/each) - 1; {
			case idle > mostIdle:
				c.Breaks = append(c.Breaks, c.Width+breakWide/2)
				c.Width += breakWide
			default:
				c.Width += idle
			}
		}
		high := 100 * b.perMinute(each) / top
		c.Bars = append(c.Bars, bar{c.Width, 100 - high, high, fmt.Sprintf("%s: %s runs a minute", clock(b.At), rate(b.perMinute(each)))})
		c.Width++
	}
	if len(bars) > 0 {
		c.From, c.Until = clock(bars[0].At), clock(bars[len(bars)-1].At.Add(each))
	}
	if c.Width < leastWide { // what is right of the bars is no time
		c.Width, c.Short = leastWide, true
	}
	return c
}

// summed adds up the minutes of each bar.
func summed(pace []Minute, each time.Duration) (bars []Minute) {
	for _, m := range pace {
		at := m.At.UTC().Truncate(each)
		if last := len(bars) - 1; last >= 0 && bars[last].At.Equal(at) {
			bars[last].Runs += m.Runs
		} else {
			bars = append(bars, Minute{at, m.Runs})
		}
	}
	return bars
}

func (m Minute) perMinute(each time.Duration) float64 { return float64(m.Runs) / each.Minutes() }

// roundUp returns the next one of 1, 2, 5, 10, 20, 50 …
func roundUp(most float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(max(1, most))))
	for _, n := range []float64{1, 2, 5} {
		if n*unit >= most {
			return n * unit
		}
	}
	return 10 * unit
}

func clock(t time.Time) string { return t.UTC().Format("Jan 2 15:04") }

// rate writes a number of runs a minute.
func rate(n float64) string {
	if n < 10 {
		return fmt.Sprintf("%.2g", n)
	}
	return english.Grouped(int(math.RoundToEven(n)))
}
