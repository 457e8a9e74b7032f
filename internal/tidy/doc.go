// Package tidy is a test: it reads the source of this module and reports what
// a compiler does not mind and this project does.
//
//   - Layers. Every package has a row in the table layers, which says what it
//     may import. A dependency arrow is a decision, so it is written down where
//     a reviewer sees it change. What a row allows must be needed.
//   - Determinism. Packages whose row says simulated, and the single files that
//     rows name, may not let anything but the seed decide: no goroutines, no
//     clocks, no global random numbers, no map order, no addresses, no float
//     time. One leak spoils every replay.
//   - Text. No notes to self, no machine paths, a comment for every package and
//     every exported name.
//   - Skips. A test that does not run everywhere says so to internal/unable, or asks
//     testing.Short or runtime.GOOS. All are built by CI.
//
// Two rules can be excused where a person has thought about it, by a comment on
// the line or above it:
//
//	//tidy:order <why the order does not matter>
//	//tidy:float <why every machine computes the same>
//
// An excuse without a reason, or one that excuses nothing, is reported too.
//
// Every rule has a victim under testdata: a small module that breaks it, with a
// "want" on each line where the rule must speak. A rule without a victim fails.
package tidy
