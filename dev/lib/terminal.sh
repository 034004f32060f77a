# shellcheck shell=bash
# What dev/* print: one line a fact, aligned, coloured only on a terminal.

if ((BASH_VERSINFO[0] < 5)); then
    echo "bash 5 or newer is needed, this is $BASH_VERSION" >&2
    exit 2
fi

# NO_COLOR is honoured: https://no-color.org
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
else
    bold='' dim='' red='' green='' yellow='' plain=''
fi

# Ends the script with exit code 1. Further arguments are printed below, indented: what to do about it.
fail() {
    printf '%serror:%s %s\n' "$red" "$plain" "$1" >&2
    shift
    (($# == 0)) || printf '       %s\n' "$@" >&2
    exit 1
}

# A wrong command line: exit code 2, and where to look.
usage_error() {
    printf '%serror:%s %s\n       %s --help tells more\n' "$red" "$plain" "$1" "$0" >&2
    exit 2
}

notice() { printf '%snotice:%s %s\n' "$yellow" "$plain" "$*"; }

# Milliseconds since the epoch.
now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# 61234 -> "61.2 s"
seconds() { printf '%d.%d s' $(($1 / 1000)) $(($1 % 1000 / 100)); }

# Prints the comment at the head of a script, which is its help.
print_help() { sed -n '2,/^$/{s/^# \{0,1\}//;p}' "$1"; }
