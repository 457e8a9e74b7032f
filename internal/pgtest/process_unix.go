//go:build unix

package pgtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// guard makes a database and says "made", or what is wrong. Then it runs the server, and obeys words
// from its standard input. At the end of that, which comes when the test program dies, too, it stops
// the server and removes its files.
const guard = `
bin=$1 dir=$2 port=$3
trap '' INT TERM PIPE
"$bin/initdb" -D "$dir/data" -U "$4" --pwfile "$dir/password" --auth=scram-sha-256 --no-sync --no-instructions \
	-E UTF8 --locale=C >"$dir/log" 2>&1 </dev/null || {
	tr '\n' ' ' <"$dir/log"
	cd / && rm -rf "$dir"
	exit
}
echo made
run() {
	"$bin/postgres" -D "$dir/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
		-c fsync=off -c full_page_writes=off -c shared_buffers=16MB -c max_connections=60 >>"$dir/log" 2>&1 </dev/null &
	pid=$!
}
run
while read -r word; do
	case $word in
	start) run ;;
	stop) kill -INT $pid; wait $pid ;;
	crash) kill -QUIT $pid; wait $pid ;;
	esac
	echo "$word"
done
kill -QUIT $pid # a server that has just begun does not hear INT
wait $pid
cd / && rm -rf "$dir"`

// process is the guard.
type process struct {
	words io.Writer
	done  *bufio.Scanner
	bin   string
}

// binaries finds where the server's programs are: Debian has them out of the way.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // the pattern is a good one
	if len(found) > 0 {
		return filepath.Dir(slices.Max(found)), nil
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("no PostgreSQL server here: apt-get install postgresql")
}

func start(bin string) (*Server, error) {
	dir, err := os.MkdirTemp("", "rashomon-postgres-*")
	if err != nil {
		return nil, err
	}
	s := &Server{process: process{bin: bin}}
	if err := s.guarded(dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir)) // there is no guard that would
	}
	if s.done.Scan(); s.done.Text() != "made" {
		return nil, fmt.Errorf("initdb: %s", s.done.Text())
	}
	if err := s.answers(); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return nil, fmt.Errorf("%w: %s", err, log)
	}
	return s, nil
}

// guarded starts the guard of a server whose files are in dir: it removes them in the end.
func (s *Server) guarded(dir string) (err error) {
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(Password), 0o600); err != nil {
		return err
	}
	who, err := unprivileged(dir, secret)
	if err != nil {
		return err
	}
	if s.port, err = freePort(); err != nil {
		return err
	}
	shell := exec.Command("sh", "-c", guard, "guard", s.bin, dir, strconv.Itoa(s.port), User)
	shell.SysProcAttr, shell.Dir = who, dir
	if s.words, err = shell.StdinPipe(); err != nil {
		return err
	}
	out, err := shell.StdoutPipe()
	if err != nil {
		return err
	}
	s.done = bufio.NewScanner(out)
	return shell.Start()
}

// unprivileged is whom the server runs as: it refuses to do so as root.
func unprivileged(files ...string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the tests
	if os.Geteuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if err := os.Chown(file, int(uid), int(gid)); err != nil {
			return nil, err
		}
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// answers waits until the server does.
func (s *Server) answers() (err error) {
	for range 300 {
		if err = s.sql(`SELECT 1`); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// sql says something to the server.
func (s *Server) sql(statement string) error {
	psql := exec.Command(filepath.Join(s.bin, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, s.Address(User, Password, "postgres"))
	if out, err := psql.CombinedOutput(); err != nil {
		return fmt.Errorf("psql: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

func (s *Server) word(t testing.TB, word string) {
	t.Helper()
	if _, err := io.WriteString(s.words, word+"\n"); err != nil {
		t.Fatal(err)
	}
	if !s.done.Scan() {
		t.Fatalf("PostgreSQL's guard is gone: %v", s.done.Err())
	}
}

// Stop ends the server as an administrator does.
func (s *Server) Stop(t testing.TB) { s.word(t, "stop") }

// Crash ends the server at once. What it has answered for is kept.
func (s *Server) Crash(t testing.TB) { s.word(t, "crash") }

// Again starts the server after it was stopped.
func (s *Server) Again(t testing.TB) {
	t.Helper()
	s.word(t, "start")
	if err := s.answers(); err != nil {
		t.Fatal(err)
	}
}
