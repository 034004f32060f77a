#!/usr/bin/env bash
# Builds the scheduler and the demo's worker of an earlier revision, for the torture's mixed versions.
#
#   dev/lib/earlier.sh REVISION PROGRAMS FOLDER
#
# PROGRAMS is the folder into which dev/torture built those of today, with the same features, so that their dependencies
# are used; they are as they were afterwards. The earlier ones go to FOLDER, and are not built again if they are there.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

revision=$1 programs=$2 folder=$3

fail() {
    printf '%s\n' "$@"
    exit 1
}

[[ ! -x $folder/scheduler || ! -x $folder/channel_worker ]] || exit 0
commit=$(git rev-parse --verify --quiet "$revision^{commit}") || fail \
    "revision $revision is not in this history: fetch it (a shallow clone: git fetch --unshallow)," \
    "or name another in torture/previous-revision"

tree=$(mktemp -d -t polling-earlier-XXXXXX)
today=$tree/today
finish() {
    # Cargo put the earlier programs where those of today were.
    [[ ! -x $today/scheduler ]] || cp --remove-destination "$today/scheduler" "$programs/scheduler"
    [[ ! -x $today/channel_worker ]] || cp --remove-destination "$today/channel_worker" "$programs/examples/channel_worker"
    git worktree remove --force "$tree/tree" 2>/dev/null || true
    rm -rf "$tree"
}
trap finish EXIT
mkdir "$today"
cp "$programs/scheduler" "$programs/examples/channel_worker" "$today/"
git worktree add --quiet --detach "$tree/tree" "$commit"

profile=$(basename "$programs")
cd "$tree/tree"
CARGO_TARGET_DIR=$(dirname "$programs") nice cargo build --locked --profile "${profile/#debug/dev}" --jobs 2 \
    --workspace --all-features --bin scheduler --example channel_worker
mkdir -p "$folder"
cp "$programs/scheduler" "$programs/examples/channel_worker" "$folder/"
