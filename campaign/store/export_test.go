package store

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Fill leaves no room for the database to grow much.
func Fill(t *testing.T, s *Store) {
	_, err := s.db.Exec(`PRAGMA max_page_count = 40`)
	require.NoError(t, err)
}

// Size returns how many bytes the database has.
func Size(t testing.TB, s *Store) (bytes int64) {
	require.NoError(t, s.db.QueryRow(`SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`).Scan(&bytes))
	return bytes
}

// Undisturbed is undisturbed of numbers.
func Undisturbed(busy func() (bool, error), read func(led bool) (int, error)) (int, error) {
	return undisturbed(busy, read)
}

// Plain is err as a user reads it.
func Plain(s *Store, err error) error { return s.plainPostgres(err) }
