// Package english writes numbers as English sentences have them.
package english

import (
	"fmt"
	"strconv"
)

// Plural returns a number with its noun, as in 1 run and 1000 runs. The plural of the noun
// ends in one more s.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Grouped returns a number with a comma before each three of its last digits, as in 1,000. It
// is not below 0.
func Grouped(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
