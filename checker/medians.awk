# Prints, for every benchmark and each of its figures of processor time or memory,
# the median of the runs in the output of go test -bench -count.
/^Benchmark/ {
	name = $1
	sub(/^Benchmark/, "", name)
	for (i = 4; i <= NF; i++) {
		if ($i !~ /^cpu-|^heap-bytes$|^unknown$|^B\/op$/) continue
		key = sprintf("%-72s %-24s", name, $i)
		if (!(key in count)) order[++figures] = key
		values[key, ++count[key]] = $(i - 1) + 0
	}
}
END {
	for (f = 1; f <= figures; f++) {
		key = order[f]
		n = count[key]
		for (i = 1; i <= n; i++) sorted[i] = values[key, i]
		for (i = 2; i <= n; i++) {
			x = sorted[i]
			for (j = i - 1; j > 0 && sorted[j] > x; j--) sorted[j + 1] = sorted[j]
			sorted[j + 1] = x
		}
		printf "%s %14.1f of %d\n", key, sorted[int((n + 1) / 2)], n
	}
}
