// Package cputime tells how much processor time the process has used. The machine
// that measures may be busy, so benchmarks report that beside the elapsed time.
package cputime
