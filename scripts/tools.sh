# Gets the tools that checks need, where that can be done. To be sourced, from the project's folder.
# shellcheck shell=bash

say() { printf '\n== %s\n' "$*"; }

# What is fetched stays here from run to run.
TOOLS=$PWD/target/tools

# need_commands COMMAND[:PACKAGE]...  Installs the Debian packages of commands that are missing.
# Fails, naming the packages in `missing`, where that cannot be done.
need_commands() {
    local tool
    missing=()
    for tool in "$@"; do
        command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
    done
    ((${#missing[@]})) || return 0
    [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null || return 1
    say "installing ${missing[*]}"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# need_npm NAME@VERSION...  Unpacks packages of the npm registry into $TOOLS/node_modules, without what they depend on.
need_npm() {
    local package name folder archive
    for package in "$@"; do
        name=${package%@*}
        folder=$TOOLS/node_modules/$name
        [[ -f $folder/.version-${package##*@} ]] && continue
        rm -rf "$folder"
        mkdir -p "$folder"
        archive=$(cd "$TOOLS" && npm pack --silent "$package") || return 1
        tar -xzf "$TOOLS/$archive" -C "$folder" --strip-components=1 || return 1
        rm "$TOOLS/$archive"
        touch "$folder/.version-${package##*@}"
    done
}
