#!/usr/bin/env bash
# Builds the site as for a release, in a folder of its own, and weighs what the checkout page loads, and the widget.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/setup.sh"
STEPS=5
SITE=dist/release

step "Rust, Node and packages" "2 minutes"
need_compiler
need_rust
need_node
need_packages
# wasm-opt comes with them.
need_node_packages
export PATH="$ROOT/end2end/node_modules/.bin:$PATH"

step "Tools: trunk and wasm-bindgen" "4 minutes"
need_tools

step "The browser's part, small" "3 minutes"
scripts/site.sh --release --dist "$SITE"

step "The widget's package" "1 minute"
need_widget_packages
node widget/npm/scripts/build.mjs "$SITE/widget"

step "The server" "3 minutes"
cargo build --package tillgate-server --locked --offline
"$TARGET/debug/tillgate" precompress "$SITE"
end_step
echo
node scripts/size.mjs "$TARGET/debug/tillgate" "$SITE"
