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

# Three masters of a Redis Cluster. Sets $nodes to their addresses.
start_cluster() {
    local node port
    nodes=()
    for node in 1 2 3; do
        port=$((POLLING_BENCH_PORT + 3 + node))
        rm -rf "$root/services/data/node-$node"
        mkdir -p "$root/services/data/node-$node" "$root/run"
        start_daemon "$root/run/node-$node" "$logs/node-$node.log" "127.0.0.1:$port" \
            redis-server --bind 127.0.0.1 --port "$port" --dir "$root/services/data/node-$node" \
            --appendonly yes --appendfsync everysec --save '' --auto-aof-rewrite-percentage 0 --cluster-enabled yes
        nodes+=("127.0.0.1:$port")
    done
    until_answered "${nodes[@]}"
    redis-cli --cluster create "${nodes[@]}" --cluster-yes >"$logs/cluster.log"
    until redis-cli -p "${nodes[0]##*:}" cluster info | grep -q cluster_state:ok; do sleep 0.2; done
}

until_answered() {
    local address until_ms
    until_ms=$(($(now_ms) + 10000))
    for address; do
        until port_open "${address%:*}" "${address##*:}"; do
            (($(now_ms) < until_ms)) || fail "a node at $address does not answer" "Its log is in $logs"
            sleep 0.1
        done
    done
}

stop_cluster() {
    local note
    for note in "$root"/run/node-*; do [[ ! -f $note ]] || stop_noted "$note" 5000; done
}

# Their data goes too: append-only files are as large as all that was written.
stop_servers() {
    stop_cluster
    services down >/dev/null
    rm -rf "$root/services/data"
}
