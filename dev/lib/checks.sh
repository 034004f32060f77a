# shellcheck shell=bash
# The checks that seeded bugs are shown to, by name. Each is a build, whose time does not count, and a run.

# All libraries with the same features: what one check has built serves the next.
libraries=(-p polling-model -p polling-transport -p polling-core -p scheduler-lib
    --features "polling-transport/conformance scheduler-lib/conformance scheduler-lib/redis")

# Those that kill, fill and split servers take long and say little about a bug in a script.
without_servers_of_their_own=(--skip differential:: --skip cluster:: --skip losses:: --skip refusals::
    --skip replicas:: --skip server::)

# Of the simulation: the same seed every time, so that what it catches does not depend on luck.
simulation=(--seed 1 --minutes 960 --jobs 100 --threads 1)

# As the workspace builds it, it would be somewhat faster to run and far slower to build.
unoptimized=(--config profile.dev.package.cycle-sim.opt-level=1)

# Runs a check up to the first failure that it names: what follows, other tests or the shortest run that fails, takes
# many times as long, and with some bugs never ends. Ends itself and all that it started, which `timeout` made a group.
# shellcheck disable=SC2016
until_seen='
    exec 3< <(exec "$@")
    pid=$!
    while IFS= read -r line <&3; do
        echo "$line"
        case $line in seed\ *\ violated\ * | *\ ---\ FAILED) kill 0 ;; esac
    done
    wait "$pid"'

check_names=("model tests" "policy properties" "store conformance" "redis conformance" "redis wait" "store differential"
    "sending suite" "cycle suite" "ledger suite" "queue conformance" "worker suite" "sqs tests" simulation)

# Sets $build and $run to what builds and runs a check.
command_of() {
    build=(cargo test --quiet --no-run) run=(bash -c "$until_seen" - cargo test --quiet)
    local target=() tests=()
    case $1 in
        "model tests") target=(-p polling-model --lib) ;;
        "policy properties") target=("${libraries[@]}" --test policy) ;;
        "store conformance") target=("${libraries[@]}" --test store_memory) ;;
        "redis conformance")
            target=("${libraries[@]}" --test store_redis)
            tests=(-- --include-ignored "${without_servers_of_their_own[@]}")
            ;;
        "redis wait")
            target=("${libraries[@]}" --test redis_wait)
            tests=(-- --include-ignored)
            ;;
        "store differential")
            target=("${libraries[@]}" --test store_redis)
            tests=(-- --include-ignored differential)
            ;;
        "sending suite") target=("${libraries[@]}" --test sending) ;;
        "cycle suite") target=("${libraries[@]}" --test cycle) ;;
        "ledger suite") target=("${libraries[@]}" --test ledger) ;;
        "queue conformance") target=("${libraries[@]}" --test queue_memory --test queue_memory_model) ;;
        "worker suite") target=("${libraries[@]}" --test suite) ;;
        "sqs tests") target=(-p polling-transport --features sqs --lib) ;;
        simulation)
            build=(cargo "${unoptimized[@]}" build --quiet -p cycle-sim)
            run=(bash -c "$until_seen" - cargo "${unoptimized[@]}" run --quiet -p cycle-sim -- "${simulation[@]}")
            return
            ;;
        *) return 1 ;;
    esac
    build+=("${target[@]}")
    run+=("${target[@]}" "${tests[@]}")
}

# How long a check may run.
limit_s_of() {
    case $1 in
        simulation | "store differential") echo 300 ;;
        *) echo 120 ;;
    esac
}

# What a failed check saw, from its output: a test by name, or a broken promise of the simulation.
saw() {
    local seen
    seen=$(sed -nE -e 's/^[.iF]*([a-z0-9_:]+) --- FAILED$/\1/p' -e 's/^seed [0-9]+: ([A-Za-z]+ violated.*)/\1/p' "$1" | head -1)
    [[ -z $seen ]] || echo "${seen:0:100}"
}
