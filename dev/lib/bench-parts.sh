# shellcheck shell=bash
# The parts of dev/bench that measure ourselves.

step_small() {
    measure small
    "$target/release/allocations" | tee -a "$results/$part.jsonl"
}

step_cycle() {
    measure cycle
    measure cycle --events
}

step_memory() { measure store; }

step_redis() {
    fresh redis
    measure store --redis "$POLLING_REDIS_URL"
}

step_kafka() {
    fresh kafka
    measure kafka
}

# More jobs than are polled in their second, but not many more: what waits takes the place of what is measured.
step_servers() {
    fresh redis sqs kafka
    measure cycle --over servers --events --jobs 15000 --concurrency 512
    fresh redis sqs kafka
    measure raw
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
