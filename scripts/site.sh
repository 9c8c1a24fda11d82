#!/usr/bin/env bash
# Builds the browser's part: site.sh [OPTION...] hands its options to trunk.
. "$(dirname "$0")/lib.sh"

# Trunk takes its tools from PATH and fetches none.
export PATH="$ROOT/.tools/bin:$PATH"
export TRUNK_OFFLINE=true TRUNK_SKIP_VERSION_CHECK=true
exec trunk --quiet build "$@"
