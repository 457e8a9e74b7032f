package main

import (
	"fmt"

	"github.com/rashomon-go/rashomon/campaign/corpus"
	"github.com/rashomon-go/rashomon/campaign/store"
)

// corpusDir is where the corpus is in the directory of a campaign.
const corpusDir = "corpus"

// runCorpus runs the corpus in a directory.
func runCorpus(dir string, mutes []store.Mute) ([]corpus.Outcome, error) {
	all, err := corpus.Run(dir, mutes)
	if err != nil {
		return nil, fmt.Errorf("--corpus: %w", err)
	}
	return all, nil
}
