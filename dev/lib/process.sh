# shellcheck shell=bash
# Server processes: started apart from the terminal, noted in a file, and stopped by process id, never by name.
#
# A note is one line, "PID BIRTH ADDRESS". BIRTH (the kernel's start time of the process) tells our server from a
# later process that got the same id.

# True if a process with this id exists and has not ended. A zombie that nobody reaps has ended.
process_alive() {
    local state
    state=$(ps_field "$1" state) && [[ -n $state && $state != Z* ]]
}

process_birth() { ps_field "$1" birth; }

# From /proc where there is one, since minimal containers have no ps.
ps_field() {
    local pid=$1 field=$2 line fields
    if [[ -d /proc/self ]]; then
        line=$(cat "/proc/$pid/stat" 2>/dev/null) || return 1
        read -ra fields <<<"${line##*) }" # the name before it may hold spaces
        case $field in state) echo "${fields[0]}" ;; birth) echo "${fields[19]}" ;; esac
    else
        case $field in state) ps -o stat= -p "$pid" ;; birth) ps -o lstart= -p "$pid" | tr -d ' ' ;; esac
    fi
}

# start_daemon NOTE LOG ADDRESS COMMAND...: the new process keeps neither our input nor our lock (descriptor 9).
start_daemon() {
    local note=$1 log=$2 address=$3 detach=nohup pid
    shift 3
    command -v setsid >/dev/null && detach=setsid
    "$detach" "$@" </dev/null >"$log" 2>&1 9>&- &
    pid=$!
    echo "$pid $(process_birth "$pid") $address" >"$note"
}

# Prints the process id in a note if that process still runs.
noted_pid() {
    local pid birth
    read -r pid birth _ 2>/dev/null <"$1" || return 1
    process_alive "$pid" && [[ $(process_birth "$pid") == "$birth" ]] && echo "$pid"
}

noted_address() {
    local address
    read -r _ _ address <"$1" && echo "$address"
}

# stop_noted NOTE GRACE_MS: asks, waits, then kills. GRACE_MS 0 kills at once.
stop_noted() {
    local note=$1 grace_ms=$2 pid
    if pid=$(noted_pid "$note"); then
        if ((grace_ms > 0)); then
            kill -TERM "$pid" 2>/dev/null || true
            await_end "$pid" "$grace_ms" || notice "process $pid still runs after $(seconds "$grace_ms"): killing it"
        fi
        kill -KILL "$pid" 2>/dev/null || true
        await_end "$pid" 5000 || fail "process $pid does not end, even killed"
    fi
    rm -f "$note"
}

await_end() {
    local pid=$1 until_ms
    until_ms=$(($(now_ms) + $2))
    while process_alive "$pid"; do
        (($(now_ms) < until_ms)) || return 1
        sleep 0.05
    done
}

# port_open HOST PORT: true if somebody listens there.
port_open() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }
