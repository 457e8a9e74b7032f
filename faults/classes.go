package faults

import (
	"fmt"
	"slices"
	"strings"
)

// Classes is a set of classes of faults that Generate draws from.
type Classes uint32

const (
	Halves      Classes = 1 << iota // partitions into two random groups
	Isolation                       // partitions of one node from all others
	Bridges                         // partitions into two groups, and a node that sees both
	Rings                           // rings, in which no two nodes hear the same majority
	OneWay                          // one node hears nobody, or nobody hears it
	Links                           // cuts of random directed links
	Failures                        // series of partitions and repairs, both after random times
	Flapping                        // faults of links that come and go
	Delays                          // slow links
	Losses                          // lossy links
	Duplicates                      // links that duplicate
	Reorders                        // links that reorder
	Corruptions                     // links that damage messages
	Holds                           // links on which everything waits until the end
	Throttles                       // links of little bandwidth
	Typed                           // faults of links for one type of messages; Options.Messages has them
	Pauses                          // nodes that stop for a while and forget nothing
	SlowNodes                       // nodes whose steps take time
	SlowDisks                       // disks whose syncs take time
	Crashes                         // crashes of one node; Options.Crash says whose
	Restarts                        // crashes of several nodes, at once or rolling; likewise
	BadDisks                        // disks that are full or fail; likewise
	Clocks                          // wrong clocks; Options.Clock says whose
	Skews                           // clocks that are wrong all the time; likewise
)

// Unions of classes.
const (
	Partitions = Halves | Isolation | Bridges | Rings | OneWay | Links | Failures
	Network    = Partitions | Flapping | Delays | Losses | Duplicates | Reorders | Corruptions | Holds | Throttles | Typed
	All        = Network | Pauses | SlowNodes | SlowDisks | Crashes | Restarts | BadDisks | Clocks | Skews
)

var classNames = []string{
	"halves", "isolation", "bridges", "rings", "one-way", "links", "failures", "flapping", "delays", "losses",
	"duplicates", "reorders", "corruptions", "holds", "throttles", "typed",
	"pauses", "slow-nodes", "slow-disks", "crashes", "restarts", "bad-disks", "clocks", "skews",
}

var unions = map[string]Classes{"partitions": Partitions, "network": Network, "all": All}

// String returns the names of the classes, with commas between them.
func (c Classes) String() string {
	var names []string
	for i, name := range classNames {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// ParseClasses reads what String writes, and the names partitions, network and
// all of the unions.
func ParseClasses(text string) (c Classes, err error) {
	if text == "" {
		return 0, nil
	}
	for name := range strings.SplitSeq(text, ",") {
		i := slices.Index(classNames, name)
		switch union, ok := unions[name]; {
		case ok:
			c |= union
		case i >= 0:
			c |= 1 << i
		default:
			return 0, fmt.Errorf("no class of faults is called %q, expected %s, partitions, network or all", name, strings.Join(classNames, ", "))
		}
	}
	return c, nil
}

// split returns the classes of a set, one by one.
func (c Classes) split() (classes []Classes) {
	for i := range classNames {
		if one := Classes(1 << i); c&one != 0 {
			classes = append(classes, one)
		}
	}
	return classes
}
