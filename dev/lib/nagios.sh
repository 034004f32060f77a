# shellcheck shell=bash
# Nagios 4: its core alone, which reads objects and runs checks. Needs what packages.sh needs.

nagios_install() { has nagios4 || ensure_unpacked nagios4-core; }
