# shellcheck shell=bash
# Server processes: started apart from the terminal, noted in a file, and stopped by process id, never by name.
#
# A note is one line, "PID BIRTH ADDRESS". BIRTH (the kernel's start time of the process) tells our server from a
# later process that got the same id.

# Sets $state, $threads and $birth of a process, or fails if there is none. From /proc: small containers have no ps.
read_process() {
    local line fields
    line=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    read -ra fields <<<"${line##*) }" # what stands before may hold spaces: the program's name
    state=${fields[0]} threads=${fields[17]} birth=${fields[19]}
}

# True if a process with this id exists and has not ended. A zombie has ended, even if nobody reaps it, unless other
# threads of it still run: a killed Java server keeps its ports until the last of them is gone.
process_alive() {
    local state threads birth
    read_process "$1" && { [[ $state != Z ]] || ((threads > 1)); }
}

process_birth() {
    local state threads birth
    read_process "$1" && echo "$birth"
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
