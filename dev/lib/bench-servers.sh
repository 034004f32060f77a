# shellcheck shell=bash
# The servers of dev/bench: of dev/services, on ports and with data of their own.

: "${POLLING_BENCH_PORT:=18300}"

# The user's own servers are left alone: what is measured is filled and emptied.
unset POLLING_REDIS_URL POLLING_SQS_ENDPOINT POLLING_KAFKA_BROKERS
export POLLING_REDIS_PORT=$POLLING_BENCH_PORT POLLING_SQS_PORT=$((POLLING_BENCH_PORT + 1))
export POLLING_KAFKA_PORT=$((POLLING_BENCH_PORT + 2)) POLLING_KAFKA_CONTROLLER_PORT=$((POLLING_BENCH_PORT + 3))
export POLLING_DOWNLOADS_DIR=${POLLING_DOWNLOADS_DIR:-$HOME/.cache/polling-services/downloads}

services() { POLLING_SERVICES_DIR=$root/services dev/services "$@"; }

# fresh SERVER...: each of them without data. Exports their addresses.
fresh() {
    services stop "$@" >/dev/null
    services up "$@"
    eval "$(services env)"
    [[ " $* " != *" redis "* ]] || tune_redis
}

# Rewriting the append-only file takes a core for a while, at any time: no two runs would be alike.
tune_redis() {
    redis-cli -u "$POLLING_REDIS_URL" config set auto-aof-rewrite-percentage 0 >/dev/null
}

# Their data goes too: append-only files are as large as all that was written.
stop_servers() {
    services down >/dev/null
    rm -rf "$root/services/data"
}
