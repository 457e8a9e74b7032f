package sim

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// percentileNames are those of Latency.Percentiles in texts.
var percentileNames = [...]string{"p50=", "p90=", "p99=", "p99.9="}

// String returns the text that ParseLatency reads: "2ms", "1ms..5ms",
// "1ms+exp(2ms)", "1ms+lognormal(2ms,50%)",
// "1ms..p50=2ms..p90=5ms..p99=9ms..p99.9=20ms..80ms".
func (l Latency) String() string {
	var b strings.Builder
	b.WriteString(l.Min.String())
	if l.shaped() {
		for i, p := range l.Percentiles {
			b.WriteString(".." + percentileNames[i] + (l.Min + p).String())
		}
	}
	if l.Spread != 0 || l.shaped() {
		b.WriteString(".." + (l.Min + l.Spread).String())
	}
	if l.Tail != 0 {
		b.WriteString("+exp(" + l.Tail.String() + ")")
	}
	if l.Median != 0 || l.Sigma != 0 {
		b.WriteString("+lognormal(" + l.Median.String() + "," + strconv.Itoa(l.Sigma) + "%)")
	}
	return b.String()
}

// ParseLatency reads what String writes. Delays must not be negative.
func ParseLatency(s string) (l Latency, err error) {
	rest, median, lognormal := strings.Cut(s, "+lognormal(")
	rest, tail, exponential := strings.Cut(rest, "+exp(")
	err = l.parseRange(strings.Split(rest, ".."))
	if err == nil && exponential {
		mean, closed := strings.CutSuffix(tail, ")")
		l.Tail, err = parseDelay(mean, closed)
	}
	if err == nil && lognormal {
		err = l.parseLogNormal(median)
	}
	if err != nil {
		return Latency{}, fmt.Errorf("latency %q: %w", s, err)
	}
	return l, nil
}

// errLatency says what a latency looks like.
var errLatency = errors.New(`expected a latency such as "2ms", "1ms..5ms", "1ms+exp(2ms)" or "1ms+lognormal(2ms,50%)"`)

func parseDelay(s string, complete bool) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	switch {
	case err != nil || !complete:
		return 0, errLatency
	case d < 0:
		return 0, errors.New("a delay must not be negative")
	}
	return d, nil
}

// parseRange reads a constant, the ends of a range, or all its percentiles.
func (l *Latency) parseRange(parts []string) error {
	if n := len(parts); n != 1 && n != 2 && n != 2+len(percentileNames) {
		return errLatency
	}
	last := time.Duration(0)
	for i, part := range parts {
		named := true
		if i > 0 && i < len(parts)-1 {
			part, named = strings.CutPrefix(part, percentileNames[i-1])
		}
		d, err := parseDelay(part, named)
		switch {
		case err != nil:
			return err
		case d < last:
			return fmt.Errorf("%v is less than %v", d, last)
		case i == 0:
			l.Min = d
		case i == len(parts)-1:
			l.Spread = d - l.Min
		default:
			l.Percentiles[i-1] = d - l.Min
		}
		last = d
	}
	return nil
}

func (l *Latency) parseLogNormal(s string) (err error) {
	inner, closed := strings.CutSuffix(s, "%)")
	median, sigma, two := strings.Cut(inner, ",")
	if l.Median, err = parseDelay(median, closed && two); err != nil {
		return err
	}
	n, err := strconv.ParseUint(sigma, 10, 31)
	if err != nil {
		return errLatency
	}
	if n > MaxSigma {
		return fmt.Errorf("a sigma of %d%%, expected 0%%..%d%%", n, MaxSigma)
	}
	if l.Median == 0 {
		return errors.New("a lognormal part without a median, expected more than 0s")
	}
	l.Sigma = int(n)
	return nil
}
