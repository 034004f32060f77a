# shellcheck shell=bash
# The chart: rendered with each of its values files, checked, and compared with the plain manifests. Needs $helm, $promtool, $tools, $python_tools.

chart=deploy/helm/polling
# What deploy/kubernetes holds: the chart with its own values.
without_helm=(scheduler workers keda monitoring probe)

# render VALUES FILE OPTION...: VALUES is a file of ci/, or "default".
render() {
    local values=$chart/values.yaml file=$2
    [[ $1 == default ]] || values=$chart/ci/$1.yaml
    shift 2
    "$helm" template polling "$chart" --namespace polling --values "$values" "$@" >"$file"
}

# Every set of values renders to objects that the API server would take.
check_rendered() {
    local values name out=$work/rendered
    mkdir -p "$out"
    "$helm" lint --quiet --strict "$chart"
    for values in default "$chart"/ci/*.yaml; do
        name=$(basename "$values" .yaml)
        render "$name" "$out/$name.yaml"
    done
    check_objects "$out"/*.yaml
    "$promtool" check rules "$chart"/files/*.yaml >"$work/rules" || fail "Prometheus does not take the alerts" "$(<"$work/rules")"
    echo "$(ls "$out" | wc -l) sets of values, $(cat "$out"/*.yaml | grep -c '^kind:') objects"
}

# check_objects FILE...: silent about what is right.
check_objects() {
    "$python_tools/kubernetes-validate" --strict --kubernetes-version "$kubernetes" "$@" >"$work/validated" 2>&1 ||
        fail "not as Kubernetes wants it" "$(grep -vE '^(INFO|WARN .*find schema)' "$work/validated")"
    "$python_tools/python" deploy/lib/objects.py "$tools/crds" "$@" >/dev/null
}

# Writes the manifests that need no helm into FOLDER.
render_plain() {
    local folder=$1 name
    mkdir -p "$folder/kubernetes"
    for name in "${without_helm[@]}"; do
        {
            echo "# Rendered from $chart by deploy/check render: change it there, or copy this and make it yours."
            render default "$work/plain" --set monitoring.enabled=true \
                --set monitoring.dashboards.enabled=false --show-only "templates/$name.yaml"
            without_marks "$work/plain"
        } >"$folder/kubernetes/$name.yaml"
    done
    {
        echo "# kubectl apply -f k8s/worker.yaml, once its names and addresses are yours."
        render worker-template "$work/plain"
        without_marks "$work/plain"
    } >"$folder/worker.yaml"
}

# Without what is helm's own.
without_marks() {
    sed '/^# Source: /d; /managed-by: Helm/d' "$1" | sed -z 's/  annotations:\n\(    helm.sh[^\n]*\n\)\+//; s/\n\n\+---/\n---/g'
}

# The manifests that are checked in are those of the chart.
check_plain() {
    render_plain "$work/now"
    diff -ru deploy/kubernetes "$work/now/kubernetes" && diff -u worker-template/k8s/worker.yaml "$work/now/worker.yaml" ||
        fail "the manifests are not those of the chart" "deploy/check render"
}

write_plain() {
    render_plain "$work/now"
    rm -f deploy/kubernetes/*.yaml
    cp "$work/now/kubernetes"/*.yaml deploy/kubernetes
    cp "$work/now/worker.yaml" worker-template/k8s/worker.yaml
}

# seconds_of NAME FILE: a bound in the code.
seconds_of() {
    local found
    found=$(sed -nE "s/^ *(pub |pub\(crate\) )?(const )?$1: (Duration = )?Duration::from_secs\(([0-9]+)\)[;,]$/\4/p" "$2" | sort -u)
    [[ $found =~ ^[0-9]+$ ]] || fail "no bound called $1 in $2"
    echo "$found"
}

# A pod has the time that its program takes to stop at most.
check_grace() {
    local scheduler worker
    scheduler=$((5 + $(seconds_of STOP_GRACE scheduler-lib/src/limits.rs) +
        $(seconds_of ADMIN_GRACE scheduler-lib/service/src/run.rs) +
        $(seconds_of SHUTDOWN_GRACE polling-core/ops/src/serve.rs)))
    worker=$(($(seconds_of shutdown_grace polling-core/src/worker/config.rs) +
        2 * $(seconds_of RELEASE_TIMEOUT polling-core/src/caps.rs) + $(seconds_of FLUSH_TIMEOUT polling-core/src/caps.rs)))
    grace_is_enough scheduler "$scheduler" deploy/kubernetes/scheduler.yaml
    grace_is_enough worker "$worker" deploy/kubernetes/workers.yaml
    grace_is_enough worker "$worker" worker-template/k8s/worker.yaml
}

grace_is_enough() {
    local given
    given=$(sed -nE 's/^ *terminationGracePeriodSeconds: ([0-9]+)$/\1/p' "$3")
    ((given > $2)) || fail "$3 gives a $1 ${given:-no} s to stop, and it may take $2"
}
