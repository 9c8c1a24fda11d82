#!/usr/bin/env bash
# Figures, never pass or fail: how long the merchant's list takes with few orders and with many, and how much one server
# does on one core. BENCH_ORDERS says with how many orders in its database.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/setup.sh"
STEPS=3

step "Compiler, Rust, packages and a database" "2 minutes"
need_compiler
need_rust
need_packages
need_program openssl openssl
need_postgres

# What is found goes below this line of the page; what stands above it was written by somebody.
PAGE=docs/performance.md
MARK='<!-- Made by make bench. -->'
FOUND=$(mktemp)
trap 'rm -f "$FOUND"' EXIT
cpu() {
    if [ -r /proc/cpuinfo ]; then
        awk -F ': ' '/^model name/ { print $2; exit }' /proc/cpuinfo
    else
        sysctl -n machdep.cpu.brand_string
    fi
}
printf '\n%s, %s cores, %s, commit %s.\n' \
    "$(date -u +%Y-%m-%d)" "$(getconf _NPROCESSORS_ONLN)" "$(cpu)" "$(git rev-parse --short HEAD)" >"$FOUND"

step "The merchant's list, with a thousand orders and with a million" "5 minutes"
printf '\n## The merchant'"'"'s list\n\n```\n' >>"$FOUND"
cargo run --release --locked --offline --package tillgate-checkout --example transactions -- "$@" | tee -a "$FOUND"
printf '```\n\n## One server on one core\n\n' >>"$FOUND"

read -r -a ORDERS <<<"${BENCH_ORDERS:-10000 1000000 10000000}"
step "One server on one core, with ${ORDERS[*]} orders" "8 minutes to build, and some for each million"
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
PLOT=$ROOT/$(dirname "$PAGE")/growth.svg
on_the_others env BENCH_PLOT="$PLOT" scripts/with-postgres.sh \
    cargo bench --quiet --locked --offline --package tillgate-server --bench load -- "${ORDERS[@]}" | tee -a "$FOUND"
printf '![How the times grow with the orders](growth.svg)\n' >>"$FOUND"
end_step
awk -v mark="$MARK" '{ print } $0 == mark { exit }' "$PAGE" >"$PAGE.new"
cat "$FOUND" >>"$PAGE.new"
mv "$PAGE.new" "$PAGE"
echo "The figures stand in $PAGE."
