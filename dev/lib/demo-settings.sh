# shellcheck shell=bash
# Settings that change while dev/demo --settings runs: in Consul, an agent of the run's own, which is killed in between and
# comes back empty. What was done, and when it took effect, is written to $folder/steps.jsonl for the checker.

follow_ms=3000 # Consul is asked again after such a pause at most, and answers
settle_s=7     # longer than a window of the channel: each account comes down to its cushion

# own_consul up|kill|down: not the one that others use.
own_consul() {
    env -u POLLING_CONSUL_URL POLLING_CONSUL_PORT="$consul_port" POLLING_CONSUL_GOSSIP_PORT=$((consul_port + 1)) \
        POLLING_CONSUL_SERVER_PORT=$((consul_port + 2)) POLLING_SERVICES_DIR="$folder/consul" \
        POLLING_DOWNLOADS_DIR="${POLLING_DOWNLOADS_DIR:-${POLLING_SERVICES_DIR:-$HOME/.cache/polling-services}/downloads}" \
        dev/services "$1" consul 4>&-
}

# Sets $scheduler_settings and $worker_settings, which have both follow it.
start_own_consul() {
    consul_port=17960
    while port_open 127.0.0.1 "$consul_port" || port_open 127.0.0.1 $((consul_port + 1)) ||
        port_open 127.0.0.1 $((consul_port + 2)); do consul_port=$((consul_port + 3)); done
    consul=http://127.0.0.1:$consul_port
    own_consul up
    scheduler_settings=("POLLING__SETTINGS__CONSUL__ADDRESS=$consul" POLLING__SETTINGS__CONSUL__PREFIX=polling)
    worker_settings=(--settings-consul "$consul" --settings-prefix "polling/$name/posts/worker")
}

stop_own_consul() { [[ -z ${consul_port:-} ]] || own_consul down; }

# All of it, beside the posting.
change_settings() {
    local from_ms to_ms up_ms back_ms heard_ms ready told kept
    local cushion_ms cushion_taken_ms bound_ms bound_taken_ms
    put_cushion in_console 8
    tell "        the cushion is 8 instead of 5, by the console: in force after $((taken_ms - put_ms)) ms"
    cushion_ms=$put_ms cushion_taken_ms=$taken_ms
    sleep "$settle_s"

    from_ms=$(now_ms)
    own_consul kill >>"$folder/faults.log" 2>&1
    tell "        Consul is killed"
    sleep "$settle_s"
    ready=$(curl -s --max-time 5 -o "$folder/ready.json" -w '%{http_code}' "$scheduler/readyz")
    told=$(jq -r '.settings // ""' "$folder/ready.json")
    tell "        the scheduler answers $ready: ${told:0:120}"
    up_ms=$(now_ms)
    own_consul up >>"$folder/faults.log" 2>&1
    back_ms=$(now_ms)
    await_setting ".sources[] | select(.heard_ms >= $up_ms) | .heard_ms"
    heard_ms=$((answer > back_ms ? answer : back_ms)) to_ms=$(now_ms) kept=$(cushion_in_force)
    tell "        Consul answers again, and holds nothing, heard of after $((heard_ms - back_ms)) ms: the cushion stays $kept"

    put_cushion put 7
    tell "        the cushion is 7 in Consul: in force after $((taken_ms - put_ms)) ms"
    step cushion value 8 put_ms "$cushion_ms" in_force_ms "$cushion_taken_ms" until_ms "$put_ms" bound_ms 1000
    step outage from_ms "$from_ms" to_ms "$to_ms" back_ms "$back_ms" heard_ms "$heard_ms" \
        bound_ms "$follow_ms" ready "$ready" kept "$kept" told "$told"
    cushion_ms=$put_ms cushion_taken_ms=$taken_ms
    sleep "$settle_s"

    bound_ms=$(now_ms)
    put worker/concurrency 4
    bound_taken_ms=$(await_tuned)
    tell "        each worker runs 4 jobs at once: taken up after $((bound_taken_ms - bound_ms)) ms"
    step cushion value 7 put_ms "$cushion_ms" in_force_ms "$cushion_taken_ms" until_ms "$bound_ms" bound_ms 1000
    sleep "$settle_s"
    step concurrency value 4 put_ms "$bound_ms" in_force_ms "$bound_taken_ms" until_ms "$(now_ms)" bound_ms 1000
}

# in_console KEY VALUE: as somebody does it who opens the setting's page and sends its form.
in_console() {
    local page=$scheduler/console/settings/$name/posts/$1 form status
    form=$(ask "$page" | grep -oE 'name="form" value="[^"]+"' | head -n 1 | cut -d '"' -f 4) && [[ -n $form ]] ||
        fail "the console shows no form for $1"
    status=$(ask -o /dev/null -w '%{http_code}' --data-urlencode "form=$form" --data-urlencode "value=$2" \
        --data-urlencode "reason=the demo" --data "do=set" "$page")
    [[ $status == 303 ]] || fail "the console does not take $1: it answers $status"
}

# put KEY VALUE: in Consul itself.
put() {
    [[ $(curl -s --max-time 5 -X PUT --data "$2" "$consul/v1/kv/polling/$name/posts/$1") == true ]] ||
        fail "Consul does not take $1"
}

# put_cushion in_console|put VALUE: and waits until it is in force. Sets $put_ms and $taken_ms.
put_cushion() {
    put_ms=$(now_ms)
    "$1" cushion "$2"
    await_setting ".settings[\"$name/posts/cushion\"].in_force | select(.value == \"$2\") | .changed_ms"
    taken_ms=$answer
}

cushion_in_force() {
    ask "$scheduler/v1/settings" | jq -r ".settings[\"$name/posts/cushion\"].in_force.value"
}

# await_setting FILTER: sets $answer to what it finds in the scheduler's settings, once it finds something.
await_setting() {
    local until_ms=$(($(now_ms) + 5 * follow_ms))
    until answer=$(ask "$scheduler/v1/settings" | jq -r "$1") && [[ -n $answer ]]; do
        (($(now_ms) < until_ms)) || fail "the scheduler's settings do not become so within $((5 * follow_ms)) ms: $1"
        sleep 0.02
    done
}

# Prints when all workers have said that they took it up.
await_tuned() {
    local worker until_ms=$(($(now_ms) + 5 * follow_ms))
    for worker in "${workers[@]}"; do
        until grep -q 'the worker is tuned' "$folder/$worker.log"; do
            (($(now_ms) < until_ms)) || fail "worker $worker does not take up its setting" "Its log: $folder/$worker.log"
            sleep 0.02
        done
    done
    now_ms
}

# step KIND [NAME VALUE]...: numbers, but for what was told.
step() {
    # shellcheck disable=SC2016 # $kind is jq's
    local kind=$1 options=() filter='{kind: $kind'
    shift
    while (($#)); do
        if [[ $1 == told ]]; then options+=(--arg "$1" "$2"); else options+=(--argjson "$1" "$2"); fi
        filter+=", $1: \$$1"
        shift 2
    done
    jq -nc --arg kind "$kind" "${options[@]}" "$filter}" >>"$folder/steps.jsonl"
}
