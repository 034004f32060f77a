#!/usr/bin/env bash
# A preprocessor of mdbook, which knows only links among pages. Links to files of the repository beside docs/ lead nowhere
# in the book, which may be read anywhere: they become their text, with the file's path. A README becomes its folder's
# index; links to it have to follow.

set -euo pipefail

# Asked whether it does anything for a renderer: for every one.
[[ ${1:-} != supports ]] || exit 0

# A link leaves docs/ with one more `../` than its chapter is folders deep.
jq --compact-output '
    def outside(depth): gsub("\\[(?<text>[^\\]]*)\\]\\((\\.\\./){" + (depth + 1 | tostring) + "}(?<path>[^)#]*)[^)]*\\)";
        if .text == "`" + .path + "`" then .text else .text + " (`" + .path + "`)" end);
    def index: gsub("\\]\\((?<folder>[^)]*)README\\.md"; "](" + .folder + "index.md");
    .[1] | walk(if type == "object" and has("content") and (.path | type) == "string"
        then .path as $path | .content |= (outside($path | split("/") | length - 1) | index)
        else . end)'
