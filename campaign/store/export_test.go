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
