#!/usr/bin/env bash
# with-postgres.sh COMMAND...: runs a command with TEST_DATABASE_URL set to a PostgreSQL server of its own, which is
# gone afterwards, and TEST_DATABASE_RESTART to a command that has it crash and start again. One that is set already is used as it is.
. "$(dirname "$0")/lib.sh"

if [ -n "${TEST_DATABASE_URL:-}" ]; then
    exec "$@"
fi

# Debian keeps the server's programs out of PATH.
PROGRAMS=$(find_postgres) || stop "PostgreSQL is missing: install  postgresql  (that is its name in Debian and in Homebrew)."

# In memory where there are 2 GB of it: each commit is synced, and a disk would make each one slow.
PLACE=${TMPDIR:-/tmp}
SETTINGS=
if [ -n "${POSTGRES_ON:-}" ]; then
    # Whoever measures wants a disk, and more memory for the database than it takes by itself, as whoever runs a shop would.
    PLACE=$POSTGRES_ON
    SETTINGS="-c shared_buffers=1GB -c max_wal_size=4GB"
elif [ -w /dev/shm ] && [ "$(df -Pk /dev/shm | awk 'NR == 2 { print $4 }')" -gt 2000000 ]; then
    PLACE=/dev/shm
fi
DIR=$(mktemp -d "$PLACE/tillgate-postgres-XXXXXX")
# It does not run as root.
as_its_user() {
    if [ "$(id -u)" = 0 ]; then
        runuser -u postgres -- "$@"
    else
        "$@"
    fi
}
if [ "$(id -u)" = 0 ]; then
    chown postgres "$DIR"
fi
end() {
    as_its_user "$PROGRAMS/pg_ctl" --pgdata "$DIR/data" --mode immediate --silent stop || true
    rm -rf "$DIR"
}
trap end EXIT

(
    cd "$DIR"
    as_its_user "$PROGRAMS/initdb" --pgdata "$DIR/data" --username tillgate --auth trust --encoding UTF8 --no-locale \
        --no-sync >"$DIR/log" 2>&1
    as_its_user "$PROGRAMS/pg_ctl" --pgdata "$DIR/data" --log "$DIR/data/log" --silent --wait \
        --options "-c listen_addresses= -c unix_socket_directories=$DIR -c max_connections=400 $SETTINGS" start >>"$DIR/log" 2>&1
) || stop "PostgreSQL did not start: $(cat "$DIR/log" "$DIR/data/log" 2>/dev/null)"

# A test that wants to see it crash runs this.
TEST_DATABASE_RESTART="$PROGRAMS/pg_ctl --pgdata $DIR/data --mode immediate --silent --wait restart"
if [ "$(id -u)" = 0 ]; then
    TEST_DATABASE_RESTART="runuser -u postgres -- $TEST_DATABASE_RESTART"
fi
export TEST_DATABASE_RESTART
TEST_DATABASE_URL="postgres:///postgres?host=$DIR&user=tillgate" "$@"
