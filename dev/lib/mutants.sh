# shellcheck shell=bash
# Seeded bugs: patches on a copy of HEAD, shown to checks one by one. A lane is a copy with a target folder of its own.
# What came of a bug is in $results/NAME: its verdict, the check, its time in ms, what it saw, and the checks' logs.

build_limit_s=1800

# field NAME BUG: a line of a patch's head.
field() { sed -nE "/^diff /q; s/^$1: //p" "$bugs/$2.patch"; }

# The checks of a bug, one a line, in the order in which they are asked.
checks_of() { field Checks "$1" | sed 's/, */\n/g'; }

# The checks of many bugs, each once.
asked_checks() {
    local name
    for name; do checks_of "$name"; done | awk '!seen[$0]++'
}

# Every patch says what it is, asks for known checks, and applies to HEAD.
check_patches() {
    local name check tree=$root/0/tree stale=() build run
    prepare_copy 0
    for name; do
        [[ -n $(field What "$name") && -n $(field Fault "$name") && -n $(field Checks "$name") ]] ||
            fail "$bugs/$name.patch lacks one of What, Fault, Checks"
        while read -r check; do
            command_of "$check" || fail "$bugs/$name.patch asks for an unknown check: $check" "known are: ${check_names[*]}"
        done < <(checks_of "$name")
        git -C "$tree" apply --check "$PWD/$bugs/$name.patch" 2>/dev/null || stale+=("$name")
    done
    ((${#stale[@]} == 0)) || fail "no longer applies: ${stale[*]}" "seed the same bug in the code as it is now, and write the patch anew"
}

# The copy of a lane, at HEAD. It keeps the files that did not change, and with them what was built from them.
prepare_copy() {
    local tree=$root/$1/tree
    if [[ ! -e $tree/.git ]]; then
        git worktree prune
        git worktree add --quiet --force --detach "$tree" HEAD
    fi
    git -C "$tree" checkout --quiet --force --detach "$(git rev-parse HEAD)"
    git -C "$tree" clean --quiet --force -d
}

# Every $lanes-th bug, after the copy without any bug has passed the checks.
run_lane() {
    local lane=$1 at mine=()
    tree=$root/$lane/tree
    # Nobody looks at backtraces here, and without them everything is faster, building included.
    export CARGO_TARGET_DIR=$root/$lane/target CARGO_PROFILE_DEV_DEBUG=false RUST_BACKTRACE=0
    trap 'end_jobs; exit 1' TERM INT
    for ((at = lane; at < ${#chosen[@]}; at += lanes)); do mine+=("${chosen[at]}"); done
    ((lane == 0)) || prepare_copy "$lane"
    pass_unpatched "$lane" "${mine[@]}"
    for name in "${mine[@]}"; do try_bug "$name"; done
}

# What has passed at this commit is not asked again.
pass_unpatched() {
    local lane=$1 check log ms passed=$root/$1/passed commit
    shift
    commit=$(git -C "$tree" rev-parse HEAD)
    [[ $(head -1 "$passed" 2>/dev/null) == "$commit" ]] || echo "$commit" >"$passed"
    while read -r check; do
        grep -qxF "$check" "$passed" && continue
        progress "without any bug: $check"
        log=$root/$lane/unpatched-${check// /-}.log
        build_check "$check" "$log" || fail "$check does not build without any bug" "see $log"
        run_check "$check" "$log" || fail "$check fails without any bug: what it says of bugs is worth nothing" "see $log"
        echo "$check" >>"$passed"
    done < <(asked_checks "$@")
}

# Applies a bug, asks its checks until one fails, takes the bug back, and prints its row.
try_bug() {
    local name=$1 check verdict=missed caught_by='' caught_ms=0 caught_saw='' ms seen log
    mkdir "$results/$name"
    git -C "$tree" apply "$PWD/$bugs/$name.patch"
    while read -r check; do
        progress "$name: $check"
        log=$results/$name/${check// /-}.log
        if ! build_check "$check" "$log"; then
            verdict='does not build'
            break
        fi
        ask "$name" "$check" "$log" || continue
        if [[ $verdict != caught ]]; then verdict=caught caught_by=$check caught_ms=$ms caught_saw=$seen; fi
        $all_checks || break
    done < <(checks_of "$name")
    git -C "$tree" apply -R "$PWD/$bugs/$name.patch"
    note "$name" "$verdict" "$caught_by" "$caught_ms" "$caught_saw"
    print_row "$name" "$verdict" "$caught_by" "$caught_ms" "$caught_saw"
}

# Whether a check catches the bug that is in the copy; sets $ms and $seen.
ask() {
    local name=$1 check=$2 log=$3 code=0
    run_check "$check" "$log" || code=$?
    case $code in
        0) seen='' && return 1 ;;
        124 | 137)
            seen="not done after $(limit_s_of "$check") s"
            [[ $(field Hangs "$name") == deadline ]] && return
            printf '%s: %s is %s, which counts as not caught\n' "$name" "$check" "$seen" >&2
            return 1
            ;;
    esac
    seen=$(saw "$log")
    [[ -n $seen ]] && return
    printf '%s: %s failed but names nothing that it saw, which counts as not caught; see %s\n' "$name" "$check" "$log" >&2
    return 1
}

build_check() {
    local build run
    command_of "$1"
    in_copy "$build_limit_s" "${build[@]}" >"$2" 2>&1
}

# Sets $ms.
run_check() {
    local build run begin code=0
    command_of "$1"
    begin=$(now_ms)
    in_copy "$(limit_s_of "$1")" "${run[@]}" >>"$2" 2>&1 || code=$?
    ms=$(($(now_ms) - begin))
    return "$code"
}

# in_copy SECONDS COMMAND...: in the background, so that a lane that is told to end can end it.
in_copy() {
    (cd "$tree" && exec timeout --kill-after 5 "$@") </dev/null &
    wait $!
}

note() {
    local name=$1 part
    shift
    for part in verdict check ms saw; do
        printf '%s\n' "$1" >"$results/$name/$part"
        shift
    done
}

# Where the run is, on a terminal only.
progress() {
    [[ -t 2 ]] || return 0
    printf '\r\e[K%s[%d of %d] %s%s' "$dim" "$(find "$results" -name verdict | wc -l)" "${#chosen[@]}" "$1" "$plain" >&2
}

print_row() {
    local colour=$green
    [[ ! -t 2 ]] || printf '\r\e[K' >&2
    [[ $2 == caught ]] || colour=$red
    if [[ $2 == caught ]]; then
        printf '%-36s %s%-8s%s %-20s %8s  %s\n' "$1" "$colour" "$2" "$plain" "$3" "$(seconds "$4")" "$5"
    else
        printf '%-36s %s%s%s by %s\n' "$1" "$colour" "$2" "$plain" "$(field Checks "$1")"
    fi
}

# One object: {"caught":25,"of":25,"ms":…,"bugs":[{"name":…,"verdict":…,"check":…,"ms":…,"saw":…},…]}
print_json() {
    local name separator='' file=$results
    printf '{"caught":%d,"of":%d,"ms":%d,"bugs":[' "$(grep -lx caught "$file"/*/verdict | wc -l)" "${#chosen[@]}" $(($(now_ms) - begin))
    for name in "${chosen[@]}"; do
        printf '%s{"name":"%s","verdict":"%s","check":"%s","ms":%d,"saw":"%s"}' "$separator" "$name" \
            "$(<"$file/$name/verdict")" "$(<"$file/$name/check")" "$(<"$file/$name/ms")" "$(tr -cd '[:alnum:] _:.,;-' <"$file/$name/saw")"
        separator=,
    done
    printf ']}\n'
}

score_at_least=90

# Mutants that a machine thinks of, over the files that .cargo/mutants.toml names.
score() {
    local tools=${POLLING_TOOLS_DIR:-$HOME/.cache/polling-tools} caught missed share
    [[ -f .cargo/mutants.toml ]] || fail "there is no .cargo/mutants.toml, which names the files to mutate"
    PATH=$tools/bin:$PATH
    if ! command -v cargo-mutants >/dev/null; then
        CARGO_TARGET_DIR=$tools/target cargo install --locked --root "$tools" cargo-mutants
        rm -rf "$tools/target"
    fi
    mkdir -p "$root"
    root=$(realpath "$root")
    prepare_copy 0
    # Each package's mutants are asked of its own tests: the others would take long, and find no more.
    score_package polling-model
    # The conformance suite of the stores, over the one in memory. What needs servers is ignored, as everywhere.
    score_package scheduler-lib --features conformance
    missed=$(cat "$root"/*/mutants.out/missed.txt)
    [[ -z $missed ]] || printf '\nmissed:\n%s\n' "$missed"
    caught=$(cat "$root"/*/mutants.out/{caught,timeout}.txt | wc -l)
    missed=$(grep -c . <<<"$missed" || true)
    ((caught + missed)) || fail "no mutant was tried" "see $root/*/mutants.out"
    share=$((1000 * caught / (caught + missed)))
    printf '%d of %d caught, %d.%d %%\n' "$caught" $((caught + missed)) $((share / 10)) $((share % 10))
    ((share >= score_at_least * 10)) || fail "at least $score_at_least % are to be caught"
}

# Exit codes 2 and 3: some were missed, some ran into their time limit; both are counted.
score_package() {
    mkdir -p "$root/$1"
    (cd "$root/0/tree" && CARGO_TARGET_DIR=$root/0/target CARGO_PROFILE_DEV_DEBUG=false \
        cargo mutants --in-place --output "$root/$1" --package "$@") || (($? < 4)) || fail "cargo mutants could not run"
}
