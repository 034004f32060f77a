# shellcheck shell=bash
# Apache Kafka in KRaft mode: one node, broker and controller in one process. Kafka tells its clients where to connect,
# so that those which are to stay behind a proxy need a listener of their own, PROXIED, which names the proxy's address.

kafka_variable=POLLING_KAFKA_BROKERS
: "${POLLING_KAFKA_PORT:=17092}"
: "${POLLING_KAFKA_CONTROLLER_PORT:=17093}"
: "${POLLING_KAFKA_PROXIED_PORT:=$((POLLING_KAFKA_PORT + 2))}" # as near to its own port for every instance
: "${POLLING_KAFKA_PROXY_PORT:=$((POLLING_KAFKA_PORT + 3))}"
kafka_port_variables=(POLLING_KAFKA_PORT POLLING_KAFKA_CONTROLLER_PORT POLLING_KAFKA_PROXIED_PORT)
kafka_address=127.0.0.1:$POLLING_KAFKA_PORT
kafka_grace_ms=20000
kafka_cluster_id=cG9sbGluZy1zZXJ2aWNlcw # any 16 bytes in base64; a data folder remembers it

kafka_install() {
    ensure_java
    ensure_jars kafka
}

kafka_start() {
    local folder=$1 config=$1/server.properties
    shift
    {
        cat "$servers/kafka/server.properties"
        echo "listeners=BROKER://127.0.0.1:$POLLING_KAFKA_PORT,PROXIED://127.0.0.1:$POLLING_KAFKA_PROXIED_PORT\
,CONTROLLER://127.0.0.1:$POLLING_KAFKA_CONTROLLER_PORT"
        echo "advertised.listeners=BROKER://127.0.0.1:$POLLING_KAFKA_PORT\
,PROXIED://127.0.0.1:$POLLING_KAFKA_PROXY_PORT"
        echo "controller.quorum.voters=1@127.0.0.1:$POLLING_KAFKA_CONTROLLER_PORT"
        echo "log.dirs=$folder/log"
    } >"$config"
    [[ -f $folder/log/meta.properties ]] || kafka_format "$config"
    "$@" "$java" "${kafka_java_options[@]}" kafka.Kafka "$config"
}

kafka_java_options=(-Xmx512m -XX:+UseSerialGC -Dlog4j2.configurationFile="$servers/kafka/log4j2.properties"
    -cp "$downloads/kafka/*")

kafka_format() {
    local log=$logs/kafka-format.log
    "$java" "${kafka_java_options[@]}" -XX:TieredStopAtLevel=1 kafka.tools.StorageTool \
        format --cluster-id "$kafka_cluster_id" --config "$1" >"$log" 2>&1 </dev/null ||
        fail "kafka: cannot format its data folder" "$(tail -n 5 "$log")" "The whole log: $log"
}

# Asks for the cluster's metadata, and believes a broker that lists at least itself. A Metadata request, version 1:
#   size 22, api 3, version 1, correlation id 7, client id "services", no topics
# is answered by: size, correlation id 7, number of brokers, ...
kafka_answers() {
    local reply
    exec 3<>"/dev/tcp/$2/$3" || return 1
    printf '\0\0\0\x16\0\x03\0\x01\0\0\0\x07\0\x08services\0\0\0\0' >&3
    reply=$(timeout 3 head -c 12 <&3 | od -An -v -tx1 | tr -d ' \n')
    [[ $reply =~ ^[0-9a-f]{8}00000007([0-9a-f]{8})$ ]] && ((16#${BASH_REMATCH[1]} > 0))
}
