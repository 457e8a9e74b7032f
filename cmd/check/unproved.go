package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rashomon-go/rashomon/checker"
	"github.com/rashomon-go/rashomon/history"
)

// graveError returns the exit status for an error. A verdict without a proof is
// none: the checker is wrong, and what it said is kept, with the history that it
// said it about.
func (a *app) graveError(err error) status {
	var unproved *checker.CertificateError
	switch {
	case errors.As(err, &unproved):
		file, failed := saveUnproved(unproved)
		if failed != nil {
			fmt.Fprintf(a.err, "check: the history could not be kept: %v\n", failed)
		} else {
			fmt.Fprintf(a.err, "check: this is a bug of the checker; the history, the verdict and its proof are in %s\n", file)
		}
		return statusBroken
	case errors.As(err, &brokenError{}):
		return statusBroken
	}
	return statusUsage
}

// saveUnproved writes both sides into a fresh file: the history, and behind it the
// verdict with its proof.
func saveUnproved(e *checker.CertificateError) (file string, err error) {
	f, err := os.CreateTemp("", "rashomon-unproved-*.txt")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Name(), writeUnproved(f, e)
}

func writeUnproved(w io.Writer, e *checker.CertificateError) error {
	if err := history.Write(w, e.History); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "\n%v\nproof, by operation:\n", e); err != nil {
		return err
	}
	for _, i := range e.Proof {
		o := &e.History.Ops[i]
		if _, err := fmt.Fprintf(w, "%d: %s (%d..%d)\n", i, e.History.OpString(i), o.Call, o.Return); err != nil {
			return err
		}
	}
	return nil
}
