# shellcheck shell=bash
# Nagios 4: its core alone, which reads objects and runs checks. Needs what packages.sh needs.

# Sets $nagios.
ensure_nagios() {
    nagios=$(PATH=$PATH:/usr/sbin command -v nagios4) && return
    ensure_unpacked nagios4-core
    nagios=$downloads/nagios4-core/usr/sbin/nagios4
}
