# shellcheck shell=bash
# The Dockerfiles. Nothing is built: what they name is looked for.

check_images() {
    local metadata=$work/metadata.json
    cargo metadata ${CI:+--locked} --no-deps --format-version 1 >"$metadata"
    check_image deploy/scheduler.Dockerfile .
    check_image deploy/probe.Dockerfile .
    check_image worker-template/Dockerfile worker-template
}

# check_image FILE CONTEXT
check_image() {
    local file=$1 context=$2 build name
    "$python_tools/hadolint" "$file"
    # Without the line breaks of commands.
    sed -z 's/\\\n//g' "$file" >"$work/Dockerfile"
    while read -r name; do
        [[ -e $context/$name ]] || fail "$file copies what is not there" "$context/$name"
    done < <(sed -nE 's/^COPY ([^-].*) [^ ]+$/\1/p' "$work/Dockerfile" | tr ' ' '\n')
    build=$(grep -oE 'cargo build [^&]*' "$work/Dockerfile") || fail "$file builds nothing"
    # Knows packages and features without building any.
    # shellcheck disable=SC2046 # it is a list of words
    (cd "$context" && cargo tree ${CI:+--locked} --quiet --depth 0 --edges normal \
        $(sed -E 's/^cargo build//; s/--(locked|release)//g; s/--(bin|target) +[^ ]+//g' <<<"$build")) >/dev/null ||
        fail "$file builds packages or features that there are not" "$build"
    while read -r name; do
        "$python_tools/python" -c 'import json, sys
packages = json.load(open(sys.argv[1]))["packages"]
sys.exit(not any(t["name"] == sys.argv[2] and "bin" in t["kind"] for p in packages for t in p["targets"]))' \
            "$work/metadata.json" "$name" || fail "$file needs a program that there is not: $name"
        # A stage has what the next takes out of it.
        grep -qE "cp [^&]*release/$name[\" ]" "$work/Dockerfile" || fail "$file copies $name out of a stage that lacks it"
    done < <(sed -nE 's#^COPY --from=build ([^ ]*/)?([^ /]+) [^ ]+$#\2#p' "$work/Dockerfile")
    echo "$file: linted, and what it names is there"
}
