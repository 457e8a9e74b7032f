// Package pgtest starts a PostgreSQL server for the tests of a package.
package pgtest

import (
	"fmt"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/rashomon-go/rashomon/internal/unable"
)

// User and Password are of somebody who may do everything.
const (
	User     = "postgres"
	Password = "secret"
)

// Server is a PostgreSQL server on this machine, without anything in it. It ends with
// the program, however that ends.
type Server struct {
	process
	port int
	made atomic.Int64
}

// shared is the server of a test program: to start one takes a second or two.
var shared struct {
	server *Server
	err    error
}

// Start returns the server of this test program. Where PostgreSQL is not installed, the
// test is skipped, but not by CI on Linux.
func Start(t testing.TB) *Server {
	t.Helper()
	dir, err := binaries()
	switch {
	case err != nil && runtime.GOOS == "linux":
		unable.Skip(t, "%v", err)
	case err != nil:
		t.Skip(err) // what is tested does not depend on the system
	}
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = start(dir)
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// Database makes an empty database and returns its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := "test" + strconv.FormatInt(s.made.Add(1), 10)
	if err := s.sql(`CREATE DATABASE ` + name); err != nil {
		t.Fatal(err)
	}
	return s.Address(User, Password, name)
}

// Address returns the address of a database for a user.
func (s *Server) Address(user, password, database string) string {
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/%s", user, password, s.port, database)
}
