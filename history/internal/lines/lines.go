// Package lines reads text line by line with bounded memory.
package lines

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// Limit is the greatest length of a line. It bounds the memory that a file
// without line ends can take.
const Limit = 16 << 20

// ErrTooLong says that a line is longer than Limit.
var ErrTooLong = fmt.Errorf("a line of more than %d bytes, expected shorter ones", Limit)

// Reader reads lines. It never reads further ahead than its buffer.
type Reader struct {
	in   *bufio.Reader
	long []byte // holds lines longer than the buffer
	last bool
}

// NewReader returns a Reader of r.
func NewReader(r io.Reader) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, 64<<10)}
}

// Next returns the next line without its end, valid until the next call. After
// the last line it returns io.EOF.
func (r *Reader) Next() ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		line, err = r.rest(line)
	}
	r.last = errors.Is(err, io.EOF)
	switch {
	case err == nil:
		return trimEnd(line[:len(line)-1]), nil
	case err == io.EOF && len(line) > 0:
		return trimEnd(line), nil
	}
	return nil, err
}

// Unended reports whether the line that Next has just returned ended with the
// file and not with a line end, as a line that was cut off does.
func (r *Reader) Unended() bool { return r.last }

func (r *Reader) rest(start []byte) ([]byte, error) {
	r.long = append(r.long[:0], start...)
	for {
		more, err := r.in.ReadSlice('\n')
		r.long = append(r.long, more...)
		if len(r.long) > Limit {
			return nil, ErrTooLong
		}
		if err != bufio.ErrBufferFull {
			return r.long, err
		}
	}
}

func trimEnd(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}
