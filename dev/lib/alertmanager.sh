# shellcheck shell=bash
# Alertmanager and amtool. Needs what packages.sh needs.

alertmanager_install() { has amtool || ensure_unpacked prometheus-alertmanager; }
