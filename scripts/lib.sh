# What the scripts here share: steps with their times, and a way to stop. Sourced by bash, 3.2 and later.
# shellcheck shell=bash

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

# Debian keeps servers where only an administrator looks.
PATH="$PATH:/usr/local/sbin:/usr/sbin"

# The folder that cargo builds into.
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}

# How many steps the running script has; it sets this before the first one.
STEPS=0
STEP=0
STEP_BEGAN=0

# Ends the script with one sentence.
stop() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

# step TITLE [EXPECTED]: begins a step, and says how long the one before took.
step() {
    end_step
    STEP=$((STEP + 1))
    STEP_BEGAN=$SECONDS
    printf '[%d/%d] %s%s\n' "$STEP" "$STEPS" "$1" "${2:+ (the first time: $2)}"
}

end_step() {
    if [ "$STEP" -gt 0 ]; then
        local took=$((SECONDS - STEP_BEGAN))
        printf '      %d min %02d s\n' $((took / 60)) $((took % 60))
    fi
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# The folder of PostgreSQL's programs: Debian keeps them out of PATH.
find_postgres() {
    local folder
    if has initdb && has pg_ctl; then
        dirname "$(command -v initdb)"
        return
    fi
    for folder in /usr/lib/postgresql/*/bin; do
        if [ -x "$folder/initdb" ]; then
            echo "$folder"
            return
        fi
    done
    return 1
}
