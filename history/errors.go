package history

import "fmt"

// ReadError says where a history file is wrong, and what was expected there.
type ReadError struct {
	Name         string // the name of the file
	Line, Column int    // from 1; columns count bytes
	Err          error
}

// Error returns "name:line:column: what is wrong, what was expected".
func (e *ReadError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %v", e.Name, e.Line, e.Column, e.Err)
}

// Unwrap returns what is wrong, without the place.
func (e *ReadError) Unwrap() error { return e.Err }
