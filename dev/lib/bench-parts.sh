# shellcheck shell=bash
# The parts of dev/bench that measure ourselves.

step_small() {
    measure small
    "$target/release/allocations" | tee -a "$results/$part.jsonl"
}

step_cycle() {
    measure cycle
    measure cycle --events
    measure worker
}

step_memory() { measure store; }

step_redis() {
    fresh redis
    measure store --redis "$POLLING_REDIS_URL"
}

step_kafka() {
    fresh kafka
    measure kafka
    kafka_benchmark
}

# Kafka's own, with records as large as ours are with key and headers: the last line of its report is "N records sent, N.N records/sec (…".
kafka_benchmark() {
    local servers=$peers downloads=$root/peers rate
    ensure_java
    ensure_jars kafka-tools
    rate=$("$java" -Xmx512m -cp "$downloads/kafka-tools/*" org.apache.kafka.tools.ProducerPerformance \
        --topic events --num-records 600000 --record-size 300 --throughput -1 --producer-props \
        bootstrap.servers="$POLLING_KAFKA_BROKERS" acks=all compression.type=lz4 linger.ms=5 2>"$logs/kafka-tools.log" |
        tail -n 1 | sed -nE 's|.*sent, ([0-9.]+) records/sec.*|\1|p')
    [[ -n $rate ]] || fail "Kafka's benchmark tells no rate" "Its log: $logs/kafka-tools.log"
    figure tool/kafka-producer-perf "$rate" events/s
}

# figure NAME VALUE UNIT: as `measure` prints one.
figure() {
    printf '{"name":"%s","value":%s,"unit":"%s","at_ms":%s}\n' "$1" "$2" "$3" "$(now_ms)" | tee -a "$results/$part.jsonl"
}

# More jobs than are polled in their second, but not many more: what waits takes the place of what is measured. Twice the
# usual tasks that settle, since each call waits for servers that share two cores.
measure_servers() { measure servers --events --jobs 8000 --concurrency 512 --settlers 4 --tick-ms 50 "$@"; }

step_servers() {
    fresh redis sqs kafka
    measure_servers
}

step_streams() {
    fresh redis
    measure cycle --over streams --jobs 60000
}

step_giant() {
    fresh redis
    measure giant
}

step_lateness() {
    fresh redis
    measure lateness
}

step_growth() {
    fresh redis
    measure growth
}

step_cluster() {
    local nodes=() list
    start_cluster
    list=$(IFS=,; echo "${nodes[*]}")
    measure cluster --nodes "$list"
    stop_cluster
}
