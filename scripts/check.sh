#!/usr/bin/env bash
# Formatting, lints, dependencies and alarms. A warning is an error here.
. "$(dirname "$0")/lib.sh"

cargo fmt --all --check
cargo fmt --manifest-path fuzz/Cargo.toml --check
# Frontend and widget are WebAssembly and are looked at as such; in one call with the server, or with each other,
# their features would mix.
HOST=(--workspace --exclude tillgate-frontend --exclude tillgate-widget --exclude tillgate-example-leptos --locked)
cargo clippy "${HOST[@]}" --all-targets --features tillgate-app/ssr -- -D warnings
cargo clippy "${HOST[@]}" --test lives --test refunds --features tillgate-app/ssr,tillgate-checkout/simulation -- -D warnings
cargo clippy --package tillgate-frontend --target wasm32-unknown-unknown --locked -- -D warnings
cargo clippy --package tillgate-widget --package tillgate-example-leptos --target wasm32-unknown-unknown --locked -- -D warnings

if has cargo-deny; then
    cargo deny check
else
    echo "cargo-deny is not installed: advisories and licences were not checked."
fi
# Of Prometheus.
if has promtool; then
    promtool test rules docs/monitoring/alerts.test.yml
else
    echo "promtool is not installed: when the alarms ring was not checked."
fi
