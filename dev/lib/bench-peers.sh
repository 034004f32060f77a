# shellcheck shell=bash
# Peers: installed with the versions of their lock files, into a cache; each at full load, then at half of what it
# reached, where its lateness tells something.

peers=benches/peers

# peer_run NAME JOBS INTERVAL_MS: one line of JSON, of the function run_NAME.
peer_run() {
    fresh redis >&2
    "run_$1" "$2" "$3"
}

# peer NAME JOBS: JOBS are due every second, more than it can do where it takes so many.
peer() {
    local name=$1 jobs=$2 line per_s interval_ms
    line=$(peer_run "$name" "$jobs" 1000)
    measure peer "$name" --jobs "$jobs" --interval-ms 1000 <<<"$line"
    per_s=$(sed -E 's/.*"per_s": ?([0-9]+).*/\1/' <<<"$line")
    interval_ms=$((jobs * 2000 / per_s))
    line=$(peer_run "$name" "$jobs" "$interval_ms")
    measure peer "$name-half" --jobs "$jobs" --interval-ms "$interval_ms" <<<"$line"
}

# As its guide advises for several cores: several processes, each with some jobs at once.
bullmq() {
    node "$root/peers/bullmq/main.mjs" --url "$POLLING_REDIS_URL" --jobs "$2" --interval-ms "$3" --again "$1" \
        --warm-up-s 3 --seconds 10 --workers 2 --concurrency 50
}
run_bullmq() { bullmq add "$@"; }
run_bullmq-move() { bullmq move "$@"; }

step_bullmq() {
    local folder=$root/peers/bullmq
    ensure_command npm nodejs
    mkdir -p "$folder"
    cp "$peers"/bullmq/* "$folder/"
    # Not `npm ci`, which wants even those optional packages of other systems that a mirror may lack.
    npm install --prefix "$folder" --no-save --no-audit --no-fund --loglevel error
    peer bullmq 20000
    peer bullmq-move 20000
}

run_apalis() { "$root/peers/apalis/release/peer-apalis" "$POLLING_REDIS_URL" "$1" "$2" 3 10 cycle; }

# One of its scripts fails when some 8,000 jobs become due at once.
step_apalis() {
    local line
    CARGO_TARGET_DIR=$root/peers/apalis cargo build --release --locked --manifest-path "$peers/apalis/Cargo.toml"
    peer apalis 7500
    fresh redis
    line=$("$root/peers/apalis/release/peer-apalis" "$POLLING_REDIS_URL" 5000 1000 3 10 plain)
    measure peer apalis-plain --jobs 5000 --interval-ms 0 <<<"$line"
}

run_celery() {
    (cd "$peers/celery" && PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore C_FORCE_ROOT=1 \
        "$root/peers/celery/bin/python" polls.py "$POLLING_REDIS_URL" "$1" "$2" 5 10 2)
}

step_celery() {
    local folder=$root/peers/celery
    ensure_command python3 python3
    [[ -x $folder/bin/pip ]] || python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$peers/celery/requirements.txt"
    peer celery 3000
}
