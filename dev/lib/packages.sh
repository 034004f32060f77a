# shellcheck shell=bash
# Installs what is missing: Debian packages through apt, jars through Maven, programs in Go. Needs $logs; for all but packages
# that are installed $downloads; for jars and Go $servers.

download_limit_s=600
java_release=17 # the oldest that Kafka 4 runs on
go_release=1.26.8 # the oldest that what is built here takes
copy_jars=org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies

# apt_install PACKAGE...: as root, or through sudo if that asks no password.
apt_install() {
    local apt log=$logs/install.log
    find_apt "$@"
    can_be_root || fail "missing: $*" "Run as root: apt-get install $*"
    echo "installing $*"
    with_lists "${as_root[@]}" "${apt[@]}" install --no-install-recommends "$@" ||
        fail "cannot install $*" "$(tail -n 5 "$log")" "The whole log: $log"
}

# ensure_unpacked PACKAGE...: $downloads/PACKAGE, of the first, holds these packages and what they need that this system has
# not. Nobody need be root for that, and as none is installed, none starts a service of its own.
ensure_unpacked() {
    local folder=$downloads/$1 apt deb log=$logs/install.log
    [[ ! -e $folder/complete ]] || return 0
    find_apt "$@"
    echo "downloading $*"
    rm -rf "$folder" && mkdir -p "$folder/packages/partial"
    apt+=(-o Debug::NoLocking=true -o Dir::Cache::archives="$folder/packages")
    with_lists "${apt[@]}" install --download-only --no-install-recommends "$@" ||
        fail "cannot download $*" "$(tail -n 5 "$log")" "The whole log: $log"
    for deb in "$folder"/packages/*.deb; do
        [[ ! -e $deb ]] || dpkg-deb --extract "$deb" "$folder" || fail "cannot unpack $deb"
    done
    rm -rf "$folder/packages"
    touch "$folder/complete"
}

# Sets $apt, for packages that are missing.
find_apt() {
    command -v apt-get >/dev/null || fail "missing: $*" "Without apt, install them yourself and run this again."
    apt=(timeout "$download_limit_s" env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=120)
}

# Sets $as_root, which stands before a command.
can_be_root() {
    as_root=()
    ((EUID != 0)) || return 0
    as_root=(sudo -n)
    sudo -n true 2>/dev/null
}

# with_lists COMMAND...: a fresh container has no package lists, and an old one has lists of versions that are gone.
with_lists() {
    "$@" >"$log" 2>&1 </dev/null && return
    { can_be_root && "${as_root[@]}" "${apt[@]}" update && "$@"; } >"$log" 2>&1 </dev/null
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

# ensure_go_program NAME PACKAGE: $downloads/NAME/NAME is built from PACKAGE as servers/NAME/go.mod says.
ensure_go_program() {
    local sources=$servers/$1 folder=$downloads/$1 log=$logs/install.log go
    cmp -s "$sources/go.sum" "$folder/go.sum" && return
    ensure_go
    echo "building $1: some minutes, once"
    rm -rf "$folder" && mkdir -p "$folder"
    (cd "$sources" && GOTOOLCHAIN=local GOFLAGS=-buildvcs=false "$go" build -trimpath -ldflags '-s -w' -o "$folder/$1" "$2") \
        >"$log" 2>&1 </dev/null || fail "cannot build $1" "$(tail -n 5 "$log")" "The whole log: $log"
    cp "$sources/go.sum" "$folder/go.sum" # last: its presence says that the program is complete
}

# Sets $go to a compiler that is new enough: one that is there, or the one that Go offers as a module.
ensure_go() {
    local machine sum archive=$downloads/go.zip
    local -A machines=([x86_64]=amd64 [aarch64]=arm64)
    local -A sums=([amd64]=30c2b1bf7dcc88d3eb0a1364e47ddd9128edb3110a30e8a0ef61cd5856b31de7
        [arm64]=02b36b6787b3ac767668f630e2998df45a3b1f9ffee08d1bf3ef6487cd658d99)
    find_go && return
    machine=${machines[$(uname -m)]:-} sum=${sums[$machine]:-}
    [[ -n $sum ]] || fail "no Go $go_release or newer" "Install one."
    ensure_command curl curl
    ensure_command unzip unzip
    echo "downloading Go $go_release"
    mkdir -p "$downloads"
    curl -sSf --retry 3 --max-time "$download_limit_s" -o "$archive" \
        "https://proxy.golang.org/golang.org/toolchain/@v/v0.0.1-go$go_release.linux-$machine.zip" ||
        fail "cannot download Go $go_release"
    echo "$sum  $archive" | sha256sum --quiet -c - || fail "$archive is not what was asked for"
    rm -rf "$downloads/go" && mkdir "$downloads/go"
    unzip -q "$archive" -d "$downloads/go" && rm "$archive"
    chmod +x "$downloads"/go/golang.org/*/bin/* "$downloads"/go/golang.org/*/pkg/tool/*/*
    find_go || fail "Go $go_release does not run"
}

find_go() {
    local version
    for go in go /usr/local/go/bin/go "$downloads"/go/golang.org/*/bin/go; do
        version=$(GOTOOLCHAIN=local "$go" env GOVERSION 2>/dev/null) || continue
        printf 'go%s\n%s\n' "$go_release" "$version" | sort -C -V && return
    done
    return 1
}
