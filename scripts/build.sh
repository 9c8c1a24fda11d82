#!/usr/bin/env bash
# Builds the site and the server, and installs on the way what that needs.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/setup.sh"
STEPS=5

step "Compiler and Rust" "1 minute"
need_compiler
need_rust

step "Packages" "1 minute"
need_packages

# Beside what comes before it: each alone leaves a core idle now and then.
cargo build --package tillgate-server --locked --offline &
SERVER=$!
trap 'kill "$SERVER" 2>/dev/null || true' EXIT

step "Tools: trunk and wasm-bindgen; the server meanwhile" "6 minutes"
need_tools

step "The browser's part; the server meanwhile" "2 minutes"
scripts/site.sh

step "What is left of the server" "1 minute"
wait "$SERVER"
trap - EXIT
end_step
