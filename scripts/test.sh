#!/usr/bin/env bash
# Every check and every test, with what they need installed on the way.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/setup.sh"
STEPS=12

step "Compiler, Rust, OpenSSL, HAProxy, Node, PHP and Python" "2 minutes"
need_compiler
need_rust
need_program openssl openssl
need_program haproxy haproxy
need_node
# Two of the documented examples are written in them.
need_program php php-cli
need_program python3 python3

step "Packages, a database and a browser" "2 minutes"
need_packages
need_node_packages
need_widget_packages
need_postgres
need_chromium

step "Formatting and lints" "4 minutes"
scripts/check.sh
(cd end2end && npm run --silent check)

step "Tools: trunk and wasm-bindgen" "4 minutes"
need_tools

step "The browser's part" "2 minutes"
scripts/site.sh

step "Tests in Rust" "8 minutes"
# Everything that is no WebAssembly. As one workspace in both steps, so that the second finds what the first has built.
TESTED=(--workspace --exclude tillgate-frontend --exclude tillgate-widget --exclude tillgate-example-leptos --locked)
scripts/with-postgres.sh cargo test "${TESTED[@]}" --features tillgate-app/ssr

step "Lives of a shop, and refunds in every interleaving" "8 minutes"
# Played so often that a little optimisation is worth its time.
OPTIMISED='profile.dev.package.tillgate-checkout.opt-level=1'
scripts/with-postgres.sh cargo test --config "$OPTIMISED" "${TESTED[@]}" --features tillgate-app/ssr,tillgate-checkout/simulation --test lives --test refunds

step "The server, as make run builds it" "2 minutes"
cargo build --package tillgate-server --locked --offline

step "The widget's package" "1 minute"
npm test --prefix widget/npm

step "Tests in a browser" "10 minutes"
(cd end2end && npx playwright test)

step "A storefront in Leptos" "1 minute"
(cd examples/leptos && TRUNK_OFFLINE=true TRUNK_SKIP_VERSION_CHECK=true trunk --quiet build)

step "Other shops' pages in a browser" "4 minutes"
(cd end2end && npx playwright test -c hosts.config.ts)
(cd examples/testing && npx playwright test)
end_step
echo "All tests passed."
