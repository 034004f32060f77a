# shellcheck shell=bash
# Chromium for tests, without a window, and axe-core, which looks at pages for what keeps people out. Needs what
# packages.sh needs.

# A browser that is there is taken before one that has to be downloaded.
chromium_names=(chromium google-chrome chromium-browser)

# Sets $chromium.
ensure_chromium() {
    local name
    for name in "${chromium_names[@]}"; do chromium=$(command -v "$name") && return; done
    ensure_unpacked chromium fonts-liberation fontconfig-config
    chromium=$downloads/chromium/run
    [[ -x $chromium ]] || write_chromium_run
}

# What was unpacked elsewhere than where it belongs has to be told where its parts are.
write_chromium_run() {
    local folder=$downloads/chromium libraries
    libraries=$(find "$folder/usr/lib" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
    cat >"$folder/fonts.conf" <<END
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>$folder/usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>$folder/fonts</cachedir>
  <alias><family>sans-serif</family><prefer><family>Liberation Sans</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>Liberation Mono</family></prefer></alias>
</fontconfig>
END
    cat >"$chromium.new" <<END
#!/bin/sh
export LD_LIBRARY_PATH='$libraries' FONTCONFIG_FILE='$folder/fonts.conf'
exec '$folder/usr/lib/chromium/chromium' "\$@"
END
    chmod +x "$chromium.new"
    mv "$chromium.new" "$chromium"
}

# Sets $axe, a file of JavaScript: the version of the lock file, whose hash npm checks.
ensure_axe() {
    local lock=$servers/axe-core/package-lock.json folder=$downloads/axe-core log=$logs/install.log
    axe=$folder/node_modules/axe-core/axe.min.js
    ! cmp -s "$lock" "$folder/complete" || return 0
    ensure_command npm npm
    echo "downloading axe-core"
    rm -rf "$folder" && mkdir -p "$folder"
    cp "$servers"/axe-core/*.json "$folder/"
    timeout "$download_limit_s" npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel error \
        >"$log" 2>&1 </dev/null || fail "cannot download axe-core" "$(tail -n 5 "$log")" "The whole log: $log"
    cp "$lock" "$folder/complete"
}
