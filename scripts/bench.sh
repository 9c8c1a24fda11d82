#!/usr/bin/env bash
# Figures, never pass or fail: how long the merchant's list takes with few orders and with many.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/setup.sh"
STEPS=2

step "Compiler, Rust and packages" "2 minutes"
need_compiler
need_rust
need_packages

step "The merchant's list, with a thousand orders and with a million" "5 minutes"
cargo run --release --locked --offline --package tillgate-checkout --example transactions -- "$@"
end_step
