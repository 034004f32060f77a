# shellcheck shell=bash
# Consul: one agent that keeps everything in memory. No package offers it, so it is built, which takes minutes, once.

consul_variable=POLLING_CONSUL_URL
: "${POLLING_CONSUL_PORT:=17850}"
: "${POLLING_CONSUL_GOSSIP_PORT:=$((POLLING_CONSUL_PORT + 1))}"
: "${POLLING_CONSUL_SERVER_PORT:=$((POLLING_CONSUL_PORT + 2))}"
consul_port_variables=(POLLING_CONSUL_PORT POLLING_CONSUL_GOSSIP_PORT POLLING_CONSUL_SERVER_PORT)
consul_address=http://127.0.0.1:$POLLING_CONSUL_PORT
consul_grace_ms=10000

consul_install() { ensure_go_program consul github.com/hashicorp/consul; }

consul_start() {
    shift
    "$@" "$downloads/consul/consul" agent -dev -bind 127.0.0.1 -client 127.0.0.1 -log-level warn \
        -http-port "$POLLING_CONSUL_PORT" -serf-lan-port "$POLLING_CONSUL_GOSSIP_PORT" \
        -server-port "$POLLING_CONSUL_SERVER_PORT" -serf-wan-port -1 -dns-port -1 -grpc-port -1 -grpc-tls-port -1
}

# It can be written to once it has a leader: itself.
consul_answers() {
    local reply
    [[ $1 != https:* ]] || { port_open "$2" "$3" && return; }
    exec 3<>"/dev/tcp/$2/$3" || return 1
    printf 'GET /v1/status/leader HTTP/1.0\r\nHost: %s\r\n\r\n' "$2" >&3
    reply=$(timeout 5 cat <&3)
    [[ $reply == "HTTP/1."?" 200"*'"'*:*'"'* ]]
}

# The program itself, for tests that kill one of their own.
consul_env() { printf "export POLLING_TEST_CONSUL_BIN='%s'\n" "$downloads/consul/consul"; }
