package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/rashomon-go/rashomon/campaign/corpus"
	"github.com/rashomon-go/rashomon/campaign/store"
)

// corpusDir is where the corpus is in the directory of a campaign.
const corpusDir = "corpus"

// runCorpus runs the corpus in a directory.
func runCorpus(dir string, mutes []store.Mute) ([]corpus.Outcome, error) {
	all, err := corpus.Run(dir, mutes)
	var unreadable *fs.PathError
	switch {
	case errors.As(err, &unreadable):
		return nil, fmt.Errorf("--corpus: %w, expected a directory of scenarios that can be read", plainError(err))
	case err != nil:
		return nil, fmt.Errorf("--corpus: %w", err)
	}
	return all, nil
}
