# shellcheck shell=bash
# Installs what is missing: Debian packages through apt, jars through Maven. Needs $logs, and for jars $downloads and
# $servers.

download_limit_s=600
java_release=17 # the oldest that Kafka 4 runs on
copy_jars=org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies

# apt_install PACKAGE...: as root, or through sudo if that asks no password.
apt_install() {
    local as_root=() log=$logs/install.log
    command -v apt-get >/dev/null || fail "missing: $*" "Without apt, install them yourself and run this again."
    if ((EUID != 0)); then
        sudo -n true 2>/dev/null || fail "missing: $*" "Run as root: apt-get install $*"
        as_root=(sudo -n)
    fi
    echo "installing $*"
    as_root+=(timeout "$download_limit_s" env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=120)
    # A fresh container has no package lists, and an old one has lists of versions that are gone.
    "${as_root[@]}" install --no-install-recommends "$@" >"$log" 2>&1 </dev/null && return
    { "${as_root[@]}" update && "${as_root[@]}" install --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null ||
        fail "cannot install $*" "$(tail -n 5 "$log")" "The whole log: $log"
}

ensure_command() { command -v "$1" >/dev/null || apt_install "$2"; }

# Sets $java to a Java runtime that is new enough.
ensure_java() {
    find_java && return
    apt_install "openjdk-$java_release-jre-headless"
    find_java || fail "no Java $java_release or newer" "Install one, or name it in JAVA_HOME."
}

find_java() {
    local version
    for java in ${JAVA_HOME:+"$JAVA_HOME/bin/java"} java /usr/lib/jvm/*/bin/java; do
        version=$("$java" -version 2>&1) || continue
        [[ $version =~ version\ \"([0-9]+) ]] && ((BASH_REMATCH[1] >= java_release)) && return
    done
    return 1
}

# ensure_jars NAME: $downloads/NAME holds the jars that servers/NAME/pom.xml asks for.
ensure_jars() {
    local pom=$servers/$1/pom.xml folder=$downloads/$1 log=$logs/install.log attempt
    cmp -s "$pom" "$folder/pom.xml" && return
    ensure_command mvn maven
    echo "downloading $1"
    for attempt in 1 2 3; do
        rm -rf "$folder"
        timeout "$download_limit_s" mvn -B -q -Dstyle.color=never -f "$pom" "$copy_jars" \
            -DincludeScope=runtime -DoutputDirectory="$folder" >"$log" 2>&1 </dev/null && break
        ((attempt < 3)) || fail "cannot download $1" "$(grep -m 1 ERROR "$log")" "The whole log: $log"
        sleep 2
    done
    cp "$pom" "$folder/pom.xml" # last: its presence says that the folder is complete
}
