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

step "Tools: trunk and wasm-bindgen" "4 minutes"
need_tools

step "The browser's part" "2 minutes"
scripts/site.sh

step "The server" "3 minutes"
cargo build --package tillgate-server --locked --offline
end_step
