package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// far is a database behind a network, which may be gone for a while.
type far struct {
	ctx  context.Context // until when it is waited for
	pool *pgxpool.Pool
	path string
	say  func(string) // or nil
	lead *pgx.Conn    // that holds the lock, if this program leads

	mu   sync.Mutex
	left time.Time // when it was gone; zero while it is there
}

// patience is how long one attempt may take, and pauses the shortest and the longest
// time between two.
const (
	patience   = 30 * time.Second
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// try does something until the database is there for it.
func (f *far) try(do func(context.Context) error) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := f.once(do)
		if !gone(err) {
			f.back()
			return err
		}
		f.missed(err)
		select {
		case <-f.ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// once does something even if nobody waits any longer: what was done is to be kept.
func (f *far) once(do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(f.ctx), patience)
	defer cancel()
	return do(ctx)
}

// missed says once that the database is gone, and back that it is there again.
func (f *far) missed(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.left.IsZero() {
		return
	}
	f.left = time.Now()
	f.tell(fmt.Sprintf("%s is gone (%s): waiting for it", f.path, oneLine(err)))
}

func (f *far) back() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left.IsZero() {
		return
	}
	f.tell(fmt.Sprintf("%s is back after %v", f.path, time.Since(f.left).Round(100*time.Millisecond)))
	f.left = time.Time{}
}

func (f *far) tell(what string) {
	if f.say != nil {
		f.say(what)
	}
}

// passing are what servers say that will be well again: they start, stop, or move, have
// no connection left, or ask to try it again.
var passing = []string{"08", "40", "57P01", "57P02", "57P03", "53300", "25006"}

// gone says whether an error is of the way to the database, and not of what was asked.
func gone(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		for _, code := range passing {
			if strings.HasPrefix(said.Code, code) {
				return true
			}
		}
		return false
	}
	var unreachable *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &unreachable) || errors.As(err, &network) {
		return true
	}
	for _, broken := range []error{
		context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed,
		pgconn.ErrConnClosed, driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone,
	} {
		if errors.Is(err, broken) {
			return true
		}
	}
	return false
}
