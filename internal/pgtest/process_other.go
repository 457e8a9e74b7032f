//go:build !unix

package pgtest

import (
	"errors"
	"testing"
)

var errUnix = errors.New("the server of the tests is started on Unix only")

type process struct{}

func binaries() (string, error)     { return "", errUnix }
func start(string) (*Server, error) { return nil, errUnix }
func (process) sql(string) error    { return errUnix }
func (process) Stop(t testing.TB)   { t.Fatal(errUnix) }
func (process) Crash(t testing.TB)  { t.Fatal(errUnix) }
func (process) Again(t testing.TB)  { t.Fatal(errUnix) }
