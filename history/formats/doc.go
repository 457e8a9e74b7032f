// Package formats reads histories that other programs recorded: Jepsen's EDN
// histories and logs, the logs that porcupine is tested with, and the JSON lines
// of package history, all of them plain or compressed with gzip.
//
// Readers are strict. A file that says something impossible (a completion that
// nothing began, an operation of a process that is busy, a process that goes on
// after an unknown outcome) or something unclear is refused, with an error that
// names the line and the column. Every error about the content of a file is a
// *history.ReadError. What a reader leaves out on purpose, such as the
// operations of a nemesis, is counted in Info.
//
// docs/formats.md describes the formats with examples.
package formats
