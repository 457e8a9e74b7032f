package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rashomon-go/rashomon/campaign/corpus"
	"github.com/rashomon-go/rashomon/campaign/store"
)

func (a *app) campaignMerge() *cobra.Command {
	var into string
	cmd := &cobra.Command{
		Use:   "merge DIR DIR... -o DIR",
		Short: "Bring the shards of one campaign together",
		Long: `merge makes one campaign of the last campaigns of several directories, which fuzz
--shard has made with the same flags and the same build. Runs that two of them have
made are refused: they would count twice. Corpus and mutes are brought together, too.

check fuzz --resume then reports on the whole, or goes on with it.`,
		Example: `  check fuzz --runs 1000 --shard 1/2 --dir one
  check fuzz --runs 1000 --shard 2/2 --dir two
  check campaign merge one two -o both
  check fuzz --resume --runs 1000 --dir both`,
		RunE: func(_ *cobra.Command, dirs []string) error {
			switch {
			case len(dirs) == 0:
				return errors.New("no directories, expected those of the shards")
			case into == "":
				return errors.New("no -o, expected a directory to write to")
			}
			return a.merge(dirs, into)
		},
	}
	cmd.Flags().StringVarP(&into, "output", "o", "", "make a new campaign in this `DIR`")
	return cmd
}

func (a *app) merge(dirs []string, into string) error {
	plan, build, err := commonPlan(dirs)
	if err != nil {
		return err
	}
	s, err := store.Open(into)
	if err != nil {
		return err
	}
	id, err := mergeInto(s, plan, build, dirs)
	if err != nil {
		return errors.Join(err, s.Discard())
	}
	if err := s.Close(); err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := corpus.Copy(filepath.Join(dir, corpusDir), filepath.Join(into, corpusDir)); err != nil {
			return brokenError{err}
		}
	}
	return inDirectory(into, func(s *store.Store) error {
		c, err := newShown(s, id)
		if err != nil {
			return err
		}
		return c.print(a.out)
	})
}

// mergeInto makes one campaign of others, or none.
func mergeInto(s *store.Store, plan []byte, build string, dirs []string) (id int64, err error) {
	whole, err := s.Begin(plan, build)
	if err != nil {
		return 0, err
	}
	for _, dir := range dirs {
		if err := inDirectory(dir, func(from *store.Store) error { return whole.Merge(from, 0) }); err != nil {
			return 0, errors.Join(err, whole.Forget())
		}
	}
	return whole.ID, nil
}

// commonPlan returns the plan of which all campaigns are shards, and their build.
func commonPlan(dirs []string) (plan []byte, build string, err error) {
	for _, dir := range dirs {
		err := inDirectory(dir, func(s *store.Store) error {
			info, err := s.Find(0)
			if err != nil {
				return err
			}
			shard, err := planOf(info)
			if err != nil {
				return fmt.Errorf("%s: %w", dir, err)
			}
			shard.Shard = "" // as all have it
			own, err := json.Marshal(shard)
			switch {
			case err != nil:
				return err
			case plan != nil && string(own) != string(plan):
				return fmt.Errorf("%s has the plan %s, and %s has %s: expected shards of one campaign", dirs[0], plan, dir, own)
			}
			plan = own
			if build == "" {
				build = info.Build
			}
			return nil
		})
		if err != nil {
			return nil, "", err
		}
	}
	return plan, build, nil
}
