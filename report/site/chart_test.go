package site

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func at(minute int) time.Time { return time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC) }

// However long a campaign was, and however often it rested, its bars stand side by side
// within the chart, the highest is nearly as high as the chart, and no run is missing.
func TestChart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var pace []Minute
		minute, runs := 0, 0
		for range rapid.IntRange(1, 1000).Draw(t, "minutes") {
			minute += rapid.OneOf(rapid.Just(1), rapid.IntRange(1, 5000)).Draw(t, "next")
			n := rapid.IntRange(1, 1_000_000).Draw(t, "runs")
			pace, runs = append(pace, Minute{at(minute), n}), runs+n
		}
		c := newChart(pace)
		each := time.Duration(len(pace)/maxBars+1) * time.Minute
		sum := 0
		for _, b := range summed(pace, each) {
			sum += b.Runs
		}
		require.Equal(t, runs, sum)
		highest, next := 0.0, 0
		for _, b := range c.Bars {
			require.GreaterOrEqual(t, b.X, next)
			next = b.X + 1
			require.InDelta(t, 100, b.Y+b.High, 1e-9)
			highest = max(highest, b.High)
		}
		require.LessOrEqual(t, next, c.Width)
		require.LessOrEqual(t, highest, 100.0)
		require.Greater(t, highest, 39.0, "the scale goes up in steps of 2 and 2.5")
		require.LessOrEqual(t, c.Width, leastWide+len(c.Bars)*(1+mostIdle))
	})
}

func TestChartSaysWhatItDraws(t *testing.T) {
	c := newChart([]Minute{{at(1), 1200}, {at(0), 900}, {at(59), 1}})
	assert.Equal(t, "2,000", c.Most)
	assert.Equal(t, "1,000", c.Half)
	assert.Equal(t, "Jan 2 03:00: 900 runs a minute", c.Bars[0].Description)
	assert.Equal(t, []bar{{0, 55, 45, c.Bars[0].Description}, {1, 40, 60, c.Bars[1].Description}, {6, 99.95, 0.05, c.Bars[2].Description}}, c.Bars)
	assert.Equal(t, []int{4}, c.Breaks)
	assert.Equal(t, 12, c.Width)

	short := newChart([]Minute{{at(0), 4}})
	assert.Equal(t, []string{"5", "2.5", "Jan 2 03:00", "Jan 2 03:01"}, []string{short.Most, short.Half, short.From, short.Until})
}
