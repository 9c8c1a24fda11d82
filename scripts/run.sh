#!/usr/bin/env bash
# Serves the demonstration: run.sh, with PORT and SANDBOX_PORT from the environment.
. "$(dirname "$0")/lib.sh"

PORT=${PORT:-3000}
SANDBOX_PORT=${SANDBOX_PORT:-3001}

# need_port PORT VARIABLE: stops where something listens there already.
need_port() {
    if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
        stop "Port $1 is in use: end the program that listens there, or choose another one with  make run $2=$(($1 + 1000))."
    fi
}

need_port "$PORT" PORT
need_port "$SANDBOX_PORT" SANDBOX_PORT
scripts/build.sh
echo
exec "$TARGET/debug/tillgate" dev --listen "127.0.0.1:$PORT" --sandbox-port "$SANDBOX_PORT"
