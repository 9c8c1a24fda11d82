#!/usr/bin/env bash
# What takes longer than every test run may: a million lives of a shop, some thousands of them on PostgreSQL as well.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/setup.sh"
STEPS=2

step "Compiler, Rust, packages and a database" "2 minutes"
need_compiler
need_rust
need_packages
need_postgres

step "A million lives of a shop" "an hour and a half"
export TILLGATE_LIVES=${TILLGATE_LIVES:-1000000} TILLGATE_LIVES_ON_POSTGRESQL=${TILLGATE_LIVES_ON_POSTGRESQL:-5000}
scripts/with-postgres.sh cargo test --release --package tillgate-checkout --features simulation --locked --test lives
end_step
