# shellcheck shell=bash
# Runs named steps in order, up to the first that fails, and sums up. Step NAME is the function step_NAME; a function
# before_step, if there is one, gets the name first, and may export what the step needs.

summary=() code=0

# choose_steps FILE NAME...: sets $chosen to the steps named on the command line, or to all of $steps.
choose_steps() {
    local file=$1 argument
    shift
    chosen=()
    for argument; do
        case $argument in
            -h | --help) print_help "$file"; exit ;;
            *) is_among "$argument" "${steps[@]}" || usage_error "no such step: $argument" ;;
        esac
        chosen+=("$argument")
    done
    ((${#chosen[@]})) || chosen=("${steps[@]}")
}

is_among() {
    local wanted=$1 one
    shift
    for one; do [[ $one == "$wanted" ]] && return; done
    return 1
}

run_steps() {
    local begin step
    begin=$(now_ms)
    for step; do
        ! declare -F before_step >/dev/null || before_step "$step"
        run_step "$step"
        ((code == 0)) && continue
        print_summary
        fail "$step failed; to repeat it alone: $0 $step"
    done
    print_summary
    printf '%sall passed%s in %s\n' "$green" "$plain" "$(seconds $(($(now_ms) - begin)))"
}

# Sets $code. Never part of a condition: there bash ignores `set -e`, and a step would end as its last command does.
run_step() {
    local step=$1 begin result=ok colour=$green
    begin=$(now_ms)
    heading "$step"
    # A subshell of its own: there `set -e` ends the step at its first failing command.
    set +e
    (
        set -e
        "step_$step"
    )
    code=$?
    set -e
    ((code == 0)) || result=failed colour=$red
    summary+=("$(printf '%-12s %s%-8s%s %10s' "$step" "$colour" "$result" "$plain" "$(seconds $(($(now_ms) - begin)))")")
}

heading() { printf '\n%s== %s%s\n' "$bold" "$1" "$plain"; }

print_summary() {
    heading summary
    printf '%s\n' "${summary[@]}"
}
