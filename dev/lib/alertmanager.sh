# shellcheck shell=bash
# Alertmanager and amtool. Needs what packages.sh needs.

# Sets $alertmanager and $amtool.
ensure_alertmanager() {
    local folder=$downloads/prometheus-alertmanager
    alertmanager=$(command -v alertmanager || command -v prometheus-alertmanager) &&
        amtool=$(command -v amtool) && return
    ensure_unpacked prometheus-alertmanager
    alertmanager=$folder/run amtool=$folder/usr/bin/amtool
    [[ -x $alertmanager ]] || write_alertmanager_run "$folder"
}

# Debian's looks for its templates where they would be installed, and nowhere else. A copy of it looks where it is started: in
# a path of the same length.
write_alertmanager_run() {
    local templates=/usr/share/prometheus/alertmanager here=/proc/self/cwd
    while ((${#here} < ${#templates})); do here+=/; done
    sed "s|$templates|$here|g" "$1/usr/bin/prometheus-alertmanager" >"$1/alertmanager"
    chmod +x "$1/alertmanager"
    cat >"$1/run.new" <<END
#!/bin/sh
cd '$1$templates' && exec '$1/alertmanager' "\$@"
END
    chmod +x "$1/run.new"
    mv "$1/run.new" "$1/run"
}
