#!/usr/bin/env bash
# Figures, never pass or fail: how long the merchant's list takes with few orders and with many, and how much one server
# does on one core.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/setup.sh"
STEPS=3

step "Compiler, Rust, packages and a database" "2 minutes"
need_compiler
need_rust
need_packages
need_program openssl openssl
need_postgres

step "The merchant's list, with a thousand orders and with a million" "5 minutes"
cargo run --release --locked --offline --package tillgate-checkout --example transactions -- "$@"

step "One server on one core" "8 minutes"
cargo bench --locked --offline --package tillgate-server --bench load --no-run
# The server has the first core for itself; the database of PostgreSQL lies on the disk.
on_the_others() {
    local cores
    cores=$(getconf _NPROCESSORS_ONLN)
    if has taskset && [ "$cores" -gt 1 ]; then
        taskset -c "1-$((cores - 1))" "$@"
    else
        "$@"
    fi
}
export POSTGRES_ON=${TMPDIR:-/tmp}
on_the_others scripts/with-postgres.sh cargo bench --quiet --locked --offline --package tillgate-server --bench load
end_step
