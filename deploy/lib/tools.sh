# shellcheck shell=bash
# Brings what deploy/check runs, in pinned versions, from package managers. Needs dev/lib/packages.sh and its $downloads, and $tools.

# What deploy/requirements.txt lists, in an environment of its own, whose programs are then in $python_tools.
ensure_python_tools() {
    python_tools=$tools/deploy/bin
    cmp -s deploy/requirements.txt "$tools/deploy/requirements.txt" && return
    ensure_command python3 python3
    python3 -c 'import ensurepip' 2>/dev/null || apt_install python3-venv
    echo "installing deploy/requirements.txt"
    rm -rf "$tools/deploy"
    python3 -m venv "$tools/deploy"
    "$python_tools/pip" install --quiet --disable-pip-version-check --require-hashes -r deploy/requirements.txt
    cp deploy/requirements.txt "$tools/deploy" # last: its presence says that the environment is complete
}

helm_version=v4.3.1
# The definitions of the kinds that the chart uses and that are not Kubernetes' own.
keda=github.com/kedacore/keda/v2@v2.21.0
operator=github.com/prometheus-operator/prometheus-operator@v0.85.0
crds=(
    "$keda:config/crd/bases/keda.sh_scaledobjects.yaml"
    "$operator:example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml"
    "$operator:example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml"
    "$operator:example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"
)

# Sets $helm. It takes 2 to 4 min, once.
ensure_helm() {
    helm=$tools/bin/helm-$helm_version
    [[ -x $helm ]] && return
    ensure_go
    echo "building helm $helm_version"
    GOBIN=$tools/bin/new GOFLAGS='' "$go" install -trimpath -ldflags='-s -w' "helm.sh/helm/v4/cmd/helm@$helm_version" 2>"$logs/helm.log" ||
        fail "cannot build helm" "$(tail -n 5 "$logs/helm.log")"
    mv "$tools/bin/new/helm" "$helm"
}

# $tools/crds holds those definitions.
ensure_crds() {
    local crd module
    [[ -f $tools/crds/complete && $(<"$tools/crds/complete") == "${crds[*]}" ]] && return
    ensure_go
    rm -rf "$tools/crds" && mkdir -p "$tools/crds"
    for crd in "${crds[@]}"; do
        module=$("$go" mod download -json "${crd%:*}" | sed -nE 's/^\t"Dir": "(.*)",?$/\1/p')
        [[ -n $module ]] || fail "cannot download $crd"
        cp "$module/${crd##*:}" "$tools/crds"
    done
    chmod -R u+w "$tools/crds"
    echo "${crds[*]}" >"$tools/crds/complete" # last: its presence says that all are there
}

# Sets $promtool: the machine's own, or that of the Debian package.
ensure_promtool() {
    promtool=$(command -v promtool) && return
    ensure_unpacked prometheus
    promtool=$downloads/prometheus/usr/bin/promtool
}
