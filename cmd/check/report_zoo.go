package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/rashomon-go/rashomon/internal/english"
	"github.com/rashomon-go/rashomon/report/site"
	"github.com/rashomon-go/rashomon/systems"
)

// readZoo reads what check zoo --json has printed.
func readZoo(in io.Reader, name string) (*zooReport, error) {
	if name == "" {
		return nil, nil
	}
	f, err := open(in, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var zoo zooReport
	if err := json.NewDecoder(f).Decode(&zoo); err != nil || len(zoo.Bugs) == 0 {
		return nil, fmt.Errorf("--zoo: %s has no planted bugs, expected what check zoo --json prints", name)
	}
	return &zoo, nil
}

// zooSection lists the planted bugs, and how often each is caught if somebody has
// measured that.
func zooSection(zoo *zooReport) site.Section {
	s := site.Section{Title: "Planted bugs"}
	about := map[string]string{}
	for _, b := range systems.Bugs() {
		about[b.Name] = b.About
	}
	if zoo == nil {
		s.Note = "What must be caught. check zoo --json measures how often, and --zoo shows it here."
		s.Table = table("Bug", "What it does", "System", "Caught by", "Shows when")
		for _, b := range systems.Bugs() {
			s.Table.Rows = append(s.Table.Rows, cells(b.Name, b.About, b.System, fmt.Sprintf("%s, reads at %s", b.Claim, b.Reads), b.Needs))
		}
		return s
	}
	s.Note = "How often each is caught, with the 95 % interval of Clopper and Pearson; the median number of runs from one catch to the next; and processor time."
	if zoo.Interrupted {
		s.Note += " The zoo was interrupted: bugs are missing, or have fewer runs than others."
	}
	s.Table = table("Bug", "What it does", "Caught by", "#Caught", "#95 % interval", "#Median", "#CPU a catch")
	for _, c := range zoo.Bugs {
		row := cells(c.Name, about[c.Name], fmt.Sprintf("%s, reads at %s", c.Claim, c.Reads), fmt.Sprintf("%d of %d", c.Caught, c.Runs),
			fmt.Sprintf("%.2f..%.2f %%", 100*c.Low, 100*c.High), "-", "-")
		if c.Caught > 0 {
			row[5].Text = english.Plural(c.MedianRuns, "run")
			row[6].Text = time.Duration(c.SecondsPerCatch * float64(time.Second)).Round(time.Millisecond / 10).String()
		} else {
			row[3].Grade = site.Unclear
		}
		s.Table.Rows = append(s.Table.Rows, row)
	}
	return s
}
