# shellcheck shell=bash
# Graphite in one process: carbon-cache, which takes lines and keeps each second of them, and the web application, which
# renders them as JSON.

graphite_variable=POLLING_GRAPHITE_ADDRESS
: "${POLLING_GRAPHITE_PORT:=17203}"
: "${POLLING_GRAPHITE_WEB_PORT:=17280}"
graphite_port_variables=(POLLING_GRAPHITE_PORT POLLING_GRAPHITE_WEB_PORT)
graphite_address=127.0.0.1:$POLLING_GRAPHITE_PORT
graphite_grace_ms=10000
graphite_python=/usr/bin/python3 # the one that Debian's packages are for

graphite_install() {
    [[ -x $graphite_python ]] || apt_install python3
    ensure_unpacked graphite-carbon graphite-web
}

graphite_env() { printf "export POLLING_GRAPHITE_URL='http://127.0.0.1:%s'\n" "$POLLING_GRAPHITE_WEB_PORT"; }

graphite_start() {
    local folder=$1
    shift
    rm -f "$folder"/*.pid            # of one that was killed
    mkdir -p "$folder/whisper"       # the web application looks for it once
    cp "$servers"/graphite/*.conf "$folder/"
    echo "LINE_RECEIVER_PORT = $POLLING_GRAPHITE_PORT" >>"$folder/carbon.conf"
    PYTHONPATH=$downloads/graphite-carbon/usr/lib/python3/dist-packages PYTHONDONTWRITEBYTECODE=1 \
        "$@" "$graphite_python" "$servers/graphite/serve.py" "$folder" "$POLLING_GRAPHITE_WEB_PORT"
}

# Carbon never answers; the web application does, in ours.
graphite_answers() {
    local reply
    port_open "$2" "$3" || return 1
    [[ $1 == "$graphite_address" ]] || return 0
    exec 3<>"/dev/tcp/127.0.0.1/$POLLING_GRAPHITE_WEB_PORT" || return 1
    printf 'GET /version HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&3
    read -r -t 5 reply <&3
    [[ $reply == "HTTP/1."?" 200"* ]]
}
