# shellcheck shell=bash
# dev/bench --quick: what is stable on any machine, asserted.

run_quick() {
    local part
    for part in quick-small quick-redis quick-kafka quick-servers; do
        run_step "$part"
        ((code == 0)) || fail "$part failed"
    done
    heading promises
    "$target/release/measure" report --stable "$results"/quick-*.jsonl
}

step_quick-small() { "$target/release/allocations" | tee -a "$results/$part.jsonl"; }

step_quick-redis() {
    fresh redis
    measure store --jobs 100000 --rounds 2 --redis "$POLLING_REDIS_URL"
}

step_quick-kafka() {
    fresh kafka
    measure kafka --events 200000
}

step_quick-servers() {
    fresh redis sqs kafka
    measure_servers --seconds 4 --rounds 2
}
