# shellcheck shell=bash
# The processes of dev/demo: started, watched, broken and stopped. Each has a note and a log in the run's folder.

workers=(alpha beta)
declare -A metrics_at # where each worker tells its metrics
counted=()            # for the checker: who else counted, once anybody has

# The run's folder, and its name, which queues, topic and Redis keys bear.
make_folder() {
    folder=$(mktemp -d -t polling-demo-XXXXXX)
    logs=$folder # for what has to be installed
    name=demo${EPOCHSECONDS}x$$
    token=$(od -An -tx8 -N16 /dev/urandom | tr -d ' \n')
    printf 'logs of this run: %s\n' "$folder"
    : >"$folder/faults"
    if [[ ${posts[0]} == --trace ]]; then
        [[ -r $trace ]] || fail "cannot read the trace $trace"
        case $trace in *.gz) gunzip -c "$trace" ;; *) cat "$trace" ;; esac >"$folder/trace.csv"
        posts=(--trace "$folder/trace.csv")
    fi
}

# A port of which nobody makes use, from $1 up.
free_port() {
    local port=$1
    while port_open 127.0.0.1 "$port"; do port=$((port + 1)); done
    echo "$port"
}

# start NAME ADDRESS COMMAND...
start() {
    local process=$1 address=$2 log=$folder/$1.log
    shift 2
    [[ ! -e $log ]] || log=$folder/$process.again.log
    start_daemon "$folder/$process.pid" "$log" "$address" "$@" 4>&-
    disown # bash would tell when it is killed
}

# start_processes: the channel, the queues and the topic, the scheduler, the workers.
start_processes() {
    local worker port=17480
    channel=http://127.0.0.1:$(free_port 17440)
    scheduler=http://127.0.0.1:$(free_port 17470)
    for worker in "${workers[@]}"; do
        port=$(free_port $((port + 1)))
        metrics_at[$worker]=127.0.0.1:$port
    done
    start channel "$channel" "$binaries/examples/fake_channel" --listen "${channel#http://}" \
        --log "$folder/channel.jsonl" --accounts "$accounts" --replay-s "$posting_s" "${posts[@]}" "${channel_options[@]}"
    await_answer channel "$channel/control"
    configure_scheduler
    "${scheduler_program[@]}" create-queues >"$folder/queues.log" 2>&1 ||
        fail "cannot create the queues" "$(cat "$folder/queues.log")"
    "$binaries/examples/create_topic" "$name-posts"
    start_scheduler
    for worker in "${workers[@]}"; do start_worker "$worker"; done
    row channel "$channel"
    row scheduler "$scheduler"
    row workers "${workers[*]}"
    watch
}

row() { printf '%-11s %s\n' "$1" "$2"; }

# ask [OPTION]... ADDRESS: of the scheduler, as its operator.
ask() { curl -s --max-time 5 --user "operator:$token" "$@"; }

# Sets $scheduler_program to the scheduler's program with this run's configuration.
configure_scheduler() {
    sed "s/channels\.demo/channels.$name/; s/^interval = .*/interval = \"${interval_s}s\"/" dev/demo.toml >"$folder/scheduler.toml"
    scheduler_program=(env POLLING__ADMIN__LISTEN="${scheduler#http://}" POLLING__ADMIN__TOKEN="$token"
        "POLLING__CHANNELS__${name^^}__REDIS=$POLLING_REDIS_URL" "${scheduler_settings[@]}")
    ! $watched || scheduler_program+=("POLLING__GRAPHITE__ADDRESS=$POLLING_GRAPHITE_ADDRESS"
        "POLLING__GRAPHITE__PREFIX=polling.$name.scheduler")
    scheduler_program+=("$binaries/scheduler" --config "$folder/scheduler.toml")
}

start_scheduler() {
    start scheduler "$scheduler" "${scheduler_program[@]}"
    await_answer scheduler "$scheduler/readyz"
}

start_worker() {
    local watching=()
    ! $watched || watching=(--metrics-listen "${metrics_at[$1]}" --graphite-every-s 2
        --graphite "$POLLING_GRAPHITE_ADDRESS" --graphite-prefix "polling.$name.$1")
    start "$1" none "$binaries/examples/channel_worker" --name "$1" --channel-url "$channel" \
        --work-queue "polling-$name-posts" --completed-queue "polling-$name-completed" --topic "$name-posts" \
        "${worker_settings[@]}" "${watching[@]}"
}

await_answer() {
    local process=$1 url=$2 until_ms
    until_ms=$(($(now_ms) + 20000))
    until curl -sf -o "$folder/answer" --max-time 2 "$url"; do
        noted_pid "$folder/$process.pid" >/dev/null ||
            fail "$process: ended while it started" "$(tail -n 5 "$folder/$process.log")"
        (($(now_ms) < until_ms)) || fail "$process: no answer from $url" "Its log: $folder/$process.log"
        sleep 0.1
    done
}

# The workers first: they finish what they have, and the scheduler settles it.
stop_processes() {
    local process
    for process in "${workers[@]}" scheduler channel; do
        [[ ! -e $folder/$process.pid ]] || stop_noted "$folder/$process.pid" 15000
    done
}

# Registers all accounts with the scheduler, in one request.
register() {
    local account answer
    for ((account = 0; account < accounts; account++)); do
        printf '{"job_type":"posts","account":"%d"}\n' "$account"
    done >"$folder/accounts.jsonl"
    answer=$(ask --max-time 60 --data-binary "@$folder/accounts.jsonl" "$scheduler/v1/channels/$name/jobs:batch")
    [[ $answer == *"\"created\":$accounts,"* ]] || fail "the scheduler does not take the accounts" "${answer:0:300}"
    row registered "$accounts accounts, polled every $interval_s s, in slots of 1 s"
}

# --- Prometheus and Graphite ----------------------------------------------------------------------------------------

# Prometheus is told whom to scrape; to Graphite they push by themselves.
watch() {
    local worker
    $watched || return 0
    {
        printf '[{"targets":["%s"],"labels":{"job":"scheduler","instance":"scheduler","run":"%s"}}' \
            "${scheduler#http://}" "$name"
        for worker in "${workers[@]}"; do
            printf ',{"targets":["%s"],"labels":{"job":"worker","instance":"%s","run":"%s"}}' \
                "${metrics_at[$worker]}" "$worker" "$name"
        done
        echo ']'
    } >"$folder/targets.json"
    mv "$folder/targets.json" "$POLLING_PROMETHEUS_TARGETS/$name.json"
    row prometheus "$POLLING_PROMETHEUS_URL"
    row graphite "$POLLING_GRAPHITE_URL/render?format=json&from=-2min&target=polling.$name.*.polling_polls_total.*.*.*.*"
    # What a killed process counted last is gone with it.
    is_scenario kill || counted=(--prometheus "$POLLING_PROMETHEUS_URL" --graphite "$POLLING_GRAPHITE_URL" --run "$name")
}

stop_watching() { ! $watched || rm -f "${POLLING_PROMETHEUS_TARGETS:?}/$name.json"; }

# The kill switch: each job is held after the poll that is under way.
pause_all() {
    local page after=
    while
        page=$(ask --max-time 60 -X POST "$scheduler/v1/channels/$name/jobs:pause?all=true&limit=1000${after:+&after=$after}")
        [[ $page == *'"next":"'* ]]
    do after=$(sed 's/.*"next":"\([^"]*\)".*/\1/' <<<"$page"); done
    [[ $page == *'"seen":'* ]] || notice "the jobs cannot be paused: ${page:0:300}"
}

# Waits until no job is in flight: every poll has ended, and is settled.
await_quiet() {
    local until_ms
    until_ms=$(($(now_ms) + patience_s * 1000))
    until curl -s --max-time 5 "$scheduler/metrics" | grep -q 'polling_jobs{.*place="in_flight".*} 0\.0$'; do
        (($(now_ms) < until_ms)) || { notice "jobs are still in flight after $patience_s s" && return; }
        sleep 0.2
    done
}

# --- watching -------------------------------------------------------------------------------------------------------

# Asks the channel, or tells it what to change; prints how far it is.
control() { curl -s --max-time 5 -H 'content-type: application/json' ${1:+--data "$1"} "$channel/control"; }

# show_progress ELAPSED_S: on a terminal one line that changes, otherwise a line every five seconds.
show_progress() {
    local status line worker
    [[ -t 1 ]] || (($1 % 5 == 0)) || return 0
    status=$(control) || return 0
    printf -v line '%4d s  posted %s  offered %s  responses' "$1" "$(field posted)" "$(field offered)"
    for worker in "${workers[@]}"; do line+=" $worker $(field "$worker")"; done
    line+="  errors $(field errors)"
    if [[ -t 1 ]]; then printf '\r\e[K%s' "$line"; else printf '%s\n' "$line"; fi
}

end_progress() { [[ ! -t 1 ]] || echo; }

# A number in $status.
field() { if [[ $status =~ \"$1\":([0-9]+) ]]; then echo "${BASH_REMATCH[1]}"; else echo 0; fi; }

sleep_until() {
    local left_ms=$(($1 - ${EPOCHREALTIME/[.,]/} / 1000)) # no subshell, which ctrl-c would kill half-way
    ((left_ms <= 0)) || sleep "$(printf '%d.%03d' $((left_ms / 1000)) $((left_ms % 1000)))"
}

# The checker, on what there is by now.
check() {
    local window options=()
    ! $json || options+=(--json)
    ! $settings || options+=(--settings "$folder/steps.jsonl" --latency-ms 100)
    while read -r window; do options+=(--exclude "$window"); done <"$folder/faults"
    "$binaries/examples/check_demo" --log "$folder/channel.jsonl" --topic "$name-posts" \
        --interval-ms $((interval_s * 1000)) --slot-ms 1000 --cushion "$cushion" \
        --workers "${#workers[@]}" --at-least "$events_at_least" "${options[@]}" "$@"
}

# --- faults ---------------------------------------------------------------------------------------------------------

# inject FUNCTION: at the same time as everything else.
inject() {
    "$1" 4>&- &
    faults+=($!)
}

await_faults() {
    local fault
    for fault in "${faults[@]}"; do wait "$fault" || notice "a fault did not go as it should: $folder/faults.log"; done
    faults=()
}

# The gaps between polls that such a time touches are no measure of punctuality.
note_fault_since() { echo "$1-$(now_ms)" >>"$folder/faults"; }

tell() {
    end_progress
    printf '%s%s%s\n' "$bold" "$1" "$plain"
}

stop_kafka_for_10_s() {
    local begin
    begin=$(now_ms)
    dev/services stop kafka >>"$folder/faults.log" 2>&1
    tell "        Kafka is stopped, for 10 s"
    sleep 10
    dev/services start kafka >>"$folder/faults.log" 2>&1
    tell "        Kafka answers again"
    note_fault_since "$begin"
}

kill_worker_and_scheduler() {
    local begin
    begin=$(now_ms)
    stop_noted "$folder/beta.pid" 0
    stop_noted "$folder/scheduler.pid" 0
    tell "        worker beta and the scheduler are killed, for 3 s"
    sleep 3
    start_worker beta
    start_scheduler
    tell "        both run again"
    note_fault_since "$begin"
}
