# shellcheck shell=bash
# Redis: every change in an append-only file, nothing ever evicted.

redis_variable=POLLING_REDIS_URL
: "${POLLING_REDIS_PORT:=17379}"
redis_port_variables=(POLLING_REDIS_PORT)
redis_address=redis://127.0.0.1:$POLLING_REDIS_PORT/
redis_grace_ms=10000

redis_install() { ensure_command redis-server redis-server; }

redis_start() {
    local folder=$1
    shift
    "$@" redis-server --bind 127.0.0.1 --port "$POLLING_REDIS_PORT" --dir "$folder" \
        --appendonly yes --appendfsync everysec --save '' --maxmemory-policy noeviction --daemonize no
}

# A server that wants a password first has answered too: the URL given may hold it.
redis_answers() {
    local reply
    [[ $1 != rediss:* ]] || { port_open "$2" "$3" && return; }
    exec 3<>"/dev/tcp/$2/$3" || return 1
    printf 'PING\r\n' >&3
    read -r -t 2 reply <&3
    [[ $reply == +PONG* || $reply == -NOAUTH* ]]
}
