# Anteroom. `make` lists the targets. Needs Go, Node with npm, and make; `make deps` brings what the tests need beside.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# Files that say "done", each newer than what it was done with.
STAMPS := .make
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' -not -name '*.go')
MODULES := web/node_modules/.package-lock.json
PAGES := $(STAMPS)/pages
LINTER := bin/tools/golangci-lint
SOAK := 10m
SEED ?= 0
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)

##@ Use

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Start a development server with a demo clinic; data is kept in ./data
	bin/anteroom serve --dev

.PHONY: cluster
cluster: build ## Three instances on Redis behind HAProxy, at http://localhost:8080/; data is kept in ./data/cluster
	scripts/cluster

.PHONY: build
build: $(PAGES) ## Build the web pages and the binary that holds them, bin/anteroom
	CGO_ENABLED=0 go build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/anteroom ./cmd/anteroom

.PHONY: image
image: ## Build the container image anteroom (needs Docker)
	docker build --build-arg VERSION=$(VERSION) --tag anteroom:latest .

.PHONY: generate
generate: ## Write what is made from Go types: the wire's TypeScript types, the table of settings
	go run ./internal/tsgen -out web/client/wire.gen.ts
	go generate ./...

.PHONY: clean
clean: ## Remove what was built; ./data stays
	rm -rf bin $(STAMPS) web/node_modules test/node_modules test-results screenshots
	find web/dist -mindepth 1 -not -name .keep -delete

##@ Check

.PHONY: test
test: deps test-web test-go test-e2e ## Install what the tests need and run them all (about 10 minutes)

.PHONY: test-go
test-go: $(PAGES) ## Go tests with the race detector; generated files checked for drift
	go test -race -timeout 8m ./...

.PHONY: test-web
test-web: $(STAMPS)/web-checked ## Unit tests of the web client, types, style, unused code, size budgets
	cd web && npm test

.PHONY: test-e2e
test-e2e: deps build test/node_modules ## Real browsers against the real binary
	node --test --test-concurrency=1 --test-reporter=spec test/e2e/*.test.mjs

.PHONY: chaos
chaos: build ## 30 waiting rooms, 300 people, three instances and a Redis, of which one after the other goes wrong (about 2 minutes); SEED=N repeats one; last line is JSON
	go test -count=1 -v -timeout 30m -run '^TestChaos$$' ./test/integration -chaos.rooms=30 -chaos.faults=20 -chaos.seed=$(SEED) -chaos.report | grep -v -E '^(=== |--- |PASS|ok)'

.PHONY: simulation
simulation: ## A thousand instances, 100,000 waiting rooms and a million people, of which a third of the instances dies (about 10 s)
	go test -count=1 -v -run '^TestSimulation' ./internal/cluster -simulation.instances=1000 -simulation.rooms=100000 -simulation.masters=16

.PHONY: test-long
test-long: deps build test/node_modules ## Long tests: properties, fuzzing, an hour of life, the end-to-end tests over and over (about two hours)
	go test -race -count=1 -timeout 30m ./rooms ./sfu ./test/client -rapid.checks=20000
	go test -race -count=1 -timeout 30m ./test/integration -run TestSeat -seat.turns=150 -seat.long
	go test -race -count=1 -timeout 30m ./test/integration -run TestRace -races.staff=20 -races.visits=200 -races.steps=300
	go test -race -count=1 -timeout 30m ./test/integration -run TestKills -kills.times=100
	go test -race -count=1 -timeout 90m ./test/integration -run TestLife -life.for=1h
	go test -race -count=1 -timeout 30m ./test/integration -run TestCluster_RedisIsAway -redis.away=1m
	scripts/fuzz 1m
	$(MAKE) --no-print-directory simulation
	go test -count=1 -timeout 30m ./test/integration -run TestCost -cost.waiting=10000
	$(MAKE) --no-print-directory soak
	for i in {1..20}; do $(MAKE) --no-print-directory chaos; done
	for i in {1..20}; do $(MAKE) --no-print-directory test-e2e; done

.PHONY: lint
lint: $(LINTER) $(STAMPS)/web-checked test/node_modules ## golangci-lint; eslint, prettier and tsc; generated files checked for drift
	$(LINTER) run
	go test ./internal/tsgen
	cd test && node_modules/.bin/eslint --max-warnings 0 .
	cd test && node_modules/.bin/prettier --config ../web/.prettierrc.json --check .
	cd test && node_modules/.bin/tsc

.PHONY: format
format: $(LINTER) $(MODULES) ## Format all code
	$(LINTER) fmt
	cd web && npm run format
	cd test && node_modules/.bin/prettier --config ../web/.prettierrc.json --write .

.PHONY: deps
deps: ## Install the browsers and tools that the tests use (Debian, as root; else say which)
	@scripts/deps

##@ Measure

.PHONY: bench-admit
bench-admit: deps build test/node_modules ## Admission to first picture and sound, in Chromium; last line is JSON
	node test/bench/admit.mjs

.PHONY: bench-forward
bench-forward: ## Cost of a forwarded packet beside the floor, saturation, delay (about 10 minutes); last line is JSON
	go run ./test/forward

.PHONY: bench-room
bench-room: ## A waiting room's commands a second and the time of an update by its length (about a minute); last line is JSON
	go test -run '^$$' -bench '^BenchmarkRoom$$' -benchtime 1x -timeout 30m ./signaling | grep -v -E '^(goos|goarch|pkg|cpu|PASS|ok|Benchmark)'

.PHONY: bench-join
bench-join: deps build test/node_modules ## Link opened to preview, waiting and connected, in Chromium; last line is JSON
	node test/bench/join.mjs

.PHONY: bench-resume
bench-resume: deps build test/node_modules ## Socket cut, page refreshed, socket dead: until an admitted patient is back, in Chromium; last line is JSON
	node test/bench/resume.mjs

.PHONY: bench-failover
bench-failover: deps build test/node_modules ## kill -9 of the owner of live visits until people hear and see again, in Chromium and with Go clients (about 3 minutes); last line is JSON
	node test/bench/failover.mjs
	go test -count=1 -v -run '^TestFailover$$' ./test/integration -failover.times=20 -failover.visits=20 -failover.report | grep -v -E '^(=== |--- |PASS|ok|    )'

.PHONY: bench-drain
bench-drain: deps build test/node_modules ## Rolling restart of three instances under live visits: the longest silence, in Chromium and with Go clients (about 4 minutes); last line is JSON
	node test/bench/drain.mjs
	go test -count=1 -v -timeout 20m -run '^TestDrain$$' ./test/integration -drain.times=4 -drain.visits=20 -drain.report | grep -v -E '^(=== |--- |PASS|ok|    )'

.PHONY: bench-storm
bench-storm: ## 5,000 people wait on three instances, of which one is killed: until all are back, and what Redis is asked (about 2 minutes); last line is JSON
	go test -count=1 -v -timeout 20m -run '^TestStorm$$' ./test/integration -storm.sockets=5000 -storm.rooms=60 -storm.report | grep -v -E '^(=== |--- |PASS|ok|    )'

.PHONY: bench-idle
bench-idle: build ## Memory of peers and of sockets that wait, and what 1,000 of these make the server do (about 4 minutes); last line is JSON
	go build -o bin/bench/ ./test/forward ./test/idle
	bin/bench/idle -server bin/anteroom -peers bin/bench/forward

.PHONY: soak
soak: ## Visits that begin and end at 70 % of what a core carries, for SOAK (10m): fails if what the server holds grows
	go run ./test/forward soak -for $(SOAK)

# ---- Files.

# npm writes this file when it has installed what the lock says.
$(MODULES): web/package.json web/package-lock.json
	cd web && npm ci --no-fund --no-audit
	@touch $@

$(PAGES): $(MODULES) $(WEB_SOURCES)
	cd web && npm run build
	@mkdir -p $(@D) && touch $@

# After the build, because the budgets weigh what was built.
$(STAMPS)/web-checked: $(PAGES)
	cd web && npm run check
	@touch $@

# The browser tests have no packages of their own: one lock file, web/package-lock.json, serves both. Node looks for
# packages in the folders above a file, so that this link is all they need to import playwright-core.
test/node_modules: $(MODULES)
	@ln -sfn ../web/node_modules $@

# A module of its own keeps the linter's hundreds of dependencies out of the server's.
$(LINTER): tools/go.mod tools/go.sum
	go -C tools build -o ../$(@D)/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@
