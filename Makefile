# `make` lists the targets. CI runs `make check`.
FOR ?= 1m

.PHONY: help check test race compare bench table overhead fuzz lint update

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

check: ## everything that CI runs
	bash .ci/run

test: ## all tests
	go test ./...

race: ## the tests under the race detector, without the long ones
	go test -race -short ./...

compare: ## writes per second of processor time, as multiples of happy-simulator's
	go test -run '^$$' -bench 'Writes' -count 5 ./replication | grep -E '^Benchmark|^cpu'

bench: ## all benchmarks; compare with benchstat
	go test -run '^$$' -bench . -benchmem ./...

table: ## the figures of docs/checking.md, ours and porcupine's, in medians of 5 (half an hour)
	go test -run '^$$' -bench 'Engines1e6|AnyOrder1e6|Stream|Window|EtcdLogs|SameHistories|Claims' -benchmem -count 5 -timeout 2h ./checker | awk -f checker/medians.awk

overhead: ## what campaigns cost beyond their runs, in medians of 15 turns (a quarter of an hour; the machine should do nothing else)
	go test -run '^$$' -bench Campaign -benchtime 15x -timeout 1h ./campaign/store ./campaign/queue | \
		awk '/^Bench/ { for (i = 3; i < NF; i += 2) printf "%-20s %8s\n", $$(i + 1), $$i } /^(FAIL|SKIP|ok|---)|of .* runs/'

fuzz: ## a campaign over random seeds: make fuzz FOR=1h
	go run ./cmd/check fuzz --for $(FOR) --dir rashomon-out

lint: ## gofmt, go vet and staticcheck
	test -z "$$(gofmt -l . | tee /dev/stderr)" && go vet ./... && go tool -modfile=tools/go.mod staticcheck ./...

update: ## write the golden files anew; look at the diff
	go test $$(git grep -l 'flag.Bool("update"' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's,^,./,') -update
	go test $$(git grep -l 'datadriven\.RunTest' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's,^,./,') -rewrite
