# Everything a developer runs. Targets install what they need first; `make help` lists them.
SHELL := /bin/sh
NODE := sh hack/node.sh
BIN := node_modules/.bin
.DEFAULT_GOAL := help

.PHONY: help deps run test test-fast check fmt generate golden build smoke bench torture coverage clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## Install the locked npm packages (Node.js 24 among them on Linux), where they are missing
	@sh hack/deps.sh

run: deps ## Serve configs/examples/basic through the operator's pipeline and three proxies (ARGS="--help" for flags)
	@$(NODE) hack/run.ts $(ARGS)

test: ## All tests: checks, unit, feature and fault tests, and a smoke test of `make run`
	@sh hack/needs.sh
	@$(MAKE) --no-print-directory deps
	@$(NODE) hack/test.ts $(ARGS)

test-fast: deps ## Checks and unit tests only
	@$(NODE) hack/test.ts check unit

check: deps ## Types, lint, format, dead code, rooms, tidiness, generated files (ARGS="rooms tidy" for some)
	@$(NODE) hack/check.ts $(ARGS)

fmt: deps ## Format all files
	@$(NODE) $(BIN)/prettier --write --log-level warn .

generate: deps ## Rewrite all generated files (CRDs, schemas, reference)
	@set -e; for generator in hack/gen-*.ts; do echo "==> $$generator"; $(NODE) "$$generator"; done

golden: deps ## Rewrite the golden files from what the code does now; read the diff before committing
	@UPDATE_GOLDEN=1 $(NODE) hack/test.ts unit feature

build: deps ## Compile to JavaScript in dist/, as the image carries it
	@rm -rf dist
	@$(NODE) $(BIN)/tsc -p tsconfig.build.json

smoke: deps ## Start `make run`, check it from outside, stop it
	@$(NODE) hack/smoke.ts

bench: deps ## Measure codec, requests and swaps; prints figures, asserts nothing (ARGS="swap" for some)
	@$(NODE) hack/bench.ts $(ARGS)

torture: deps ## The long forms: fuzzing, property tests and soak at twenty times the length
	@TORTURE=1 $(NODE) hack/test.ts unit long feature fault

coverage: deps ## Which lines the unit tests reach; report in coverage/index.html
	@$(NODE) $(BIN)/c8 --reporter text-summary --reporter html --exclude '**/*.test.ts' --exclude 'hack/**' \
		$(BIN)/node hack/test.ts unit long

clean: ## Remove what was built, stored and measured (.state, dist, coverage)
	@rm -rf .state dist coverage
