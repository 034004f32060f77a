# shellcheck shell=bash
# ElasticMQ: Amazon's SQS protocol on this machine. Its queues are in memory; with POLLING_SQS_PERSISTENT=1 they are
# on disk, each message written before it is accepted, so that they outlive a kill.

sqs_variable=POLLING_SQS_ENDPOINT
: "${POLLING_SQS_PORT:=17324}"
sqs_port_variables=(POLLING_SQS_PORT)
sqs_address=http://127.0.0.1:$POLLING_SQS_PORT
sqs_grace_ms=10000

# ElasticMQ takes any credentials. These keep real ones away from it.
sqs_env() { printf 'export %s\n' AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1; }

sqs_install() {
    ensure_java
    ensure_jars elasticmq
}

sqs_start() {
    local folder=$1 storage=()
    shift
    if [[ ${POLLING_SQS_PERSISTENT:-0} == 1 ]]; then
        storage=(-Dmessages-storage.enabled=true "-Dmessages-storage.uri=jdbc:h2:$folder/messages;WRITE_DELAY=0")
    fi
    export POLLING_SQS_PORT # elasticmq.conf reads it
    "$@" "$java" -Xmx512m -XX:+UseSerialGC \
        -Dconfig.file="$servers/elasticmq/elasticmq.conf" "${storage[@]}" \
        -cp "$downloads/elasticmq/*" org.elasticmq.server.Main
}

# Ours must list its queues; of an endpoint given, which may want signed requests, any HTTP answer will do.
sqs_answers() {
    local reply
    [[ $1 != https:* ]] || { port_open "$2" "$3" && return; }
    exec 3<>"/dev/tcp/$2/$3" || return 1
    printf 'GET /?Action=ListQueues&Version=2012-11-05 HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n' "$2" "$3" >&3
    read -r -t 5 reply <&3
    if [[ $1 == "$sqs_address" ]]; then [[ $reply == "HTTP/1.1 200"* ]]; else [[ $reply == HTTP/* ]]; fi
}
