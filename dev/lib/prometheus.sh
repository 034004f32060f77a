# shellcheck shell=bash
# Prometheus. It scrapes what files in its folder of targets name, from the second on in which a file appears:
#
#   [{"targets": ["127.0.0.1:7070"], "labels": {"job": "scheduler"}}]

prometheus_variable=POLLING_PROMETHEUS_URL
: "${POLLING_PROMETHEUS_PORT:=17090}"
prometheus_port_variables=(POLLING_PROMETHEUS_PORT)
prometheus_address=http://127.0.0.1:$POLLING_PROMETHEUS_PORT
prometheus_grace_ms=10000
prometheus_path=$downloads/prometheus/usr/bin:$PATH

prometheus_install() { ensure_unpacked prometheus; }

# promtool tests rules, and asks questions on the command line.
prometheus_env() {
    local promtool
    printf "export POLLING_PROMETHEUS_TARGETS='%s'\n" "$data/prometheus/targets"
    ! promtool=$(PATH=$prometheus_path command -v promtool) || printf "export POLLING_PROMTOOL='%s'\n" "$promtool"
}

prometheus_start() {
    local folder=$1
    shift
    mkdir -p "$folder/targets"
    cp "$servers/prometheus/prometheus.yml" "$folder/" # relative to which it looks for targets
    PATH=$prometheus_path "$@" prometheus --config.file="$folder/prometheus.yml" --storage.tsdb.path="$folder/series" \
        --web.listen-address="${prometheus_address#http://}"
}

prometheus_answers() {
    local reply
    [[ $1 != https:* ]] || { port_open "$2" "$3" && return; }
    exec 3<>"/dev/tcp/$2/$3" || return 1
    printf 'GET /-/ready HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n' "$2" "$3" >&3
    read -r -t 5 reply <&3
    [[ $reply == "HTTP/1.1 200"* ]]
}
