package rashomon

import (
	"strings"

	"github.com/rashomon-go/rashomon/sim"
)

func (f field) link() (l sim.Link, err error) {
	entries, err := f.entries()
	for i := 0; err == nil && i < len(entries); i++ {
		v := entries[i].value
		switch entries[i].key {
		case "latency":
			l.Latency, err = v.latency()
		case "loss":
			l.Loss, err = v.probability()
		case "duplicate":
			l.Duplicate, err = v.probability()
		case "reorder":
			l.Reorder, err = v.probability()
		case "corrupt":
			l.Corrupt, err = v.probability()
		case "fifo":
			l.FIFO, err = v.bool()
		case "bandwidth":
			l.Bandwidth, err = v.bandwidth()
		case "queue":
			l.Queue, err = v.duration()
		case "profile":
			if len(entries) > 1 {
				return l, v.errorf("a profile and other keys, expected the profile alone")
			}
			l, err = v.profile()
		default:
			err = entries[i].unknown("profile, or latency, loss, duplicate, reorder, corrupt, fifo, bandwidth and queue")
		}
	}
	return l, err
}

func (f field) latency() (sim.Latency, error) {
	s, err := f.text()
	if err != nil {
		return sim.Latency{}, err
	}
	l, err := sim.ParseLatency(s)
	if err != nil {
		return sim.Latency{}, f.errorf("%v", err)
	}
	return l, nil
}

func (f field) bandwidth() (sim.Bandwidth, error) {
	s, err := f.text()
	if err != nil {
		return 0, err
	}
	b, err := sim.ParseBandwidth(s)
	if err != nil {
		return 0, f.errorf("%v", err)
	}
	return b, nil
}

func (f field) profile() (sim.Link, error) {
	s, err := f.text()
	if err != nil {
		return sim.Link{}, err
	}
	l, known := sim.ProfileNamed(s)
	if !known {
		var names []string
		for _, p := range sim.Profiles() {
			names = append(names, p.Name)
		}
		return sim.Link{}, f.unexpected("one of " + strings.Join(names, ", "))
	}
	return l, nil
}
