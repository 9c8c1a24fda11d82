# Thin on purpose: everything here calls a standard tool or a script in scripts/.

.DEFAULT_GOAL := help
.PHONY: help run build test soak fuzz check size bench clean distclean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build what is missing, then serve the demonstration shop and the sandbox
	@scripts/run.sh

build: ## Build the site and the server, and start nothing
	@scripts/build.sh

test: ## Run every check and every test
	@scripts/test.sh

soak: ## Live a million lives of a shop
	@scripts/soak.sh

fuzz: ## Fuzz what reads messages, keys, carts, quotes and what people type, for an hour
	@scripts/fuzz.sh

check: ## Formatting, lints and, where cargo-deny is installed, dependencies
	@scripts/check.sh

size: ## Build the site as for a release and weigh what the checkout page loads
	@scripts/size.sh

bench: ## Measure the merchant's list with many orders, and one server under load
	@scripts/bench.sh

clean: ## Forget the demonstration's keys and databases, the built site and the tests' artefacts
	rm -rf .tillgate dist end2end/artifacts examples/testing/.tillgate examples/testing/test-results

distclean: clean ## The same, and everything compiled, installed or fetched into this folder
	rm -rf target .tools end2end/node_modules widget/npm/node_modules widget/npm/package fuzz/target fuzz/corpus fuzz/artifacts widget/npm/*.tgz examples/node_modules examples/*/node_modules examples/*/dist
