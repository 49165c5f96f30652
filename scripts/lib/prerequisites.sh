# shellcheck shell=bash
# What a build needs beside Swift: says what is missing, or installs it. Quiet when nothing is to be done.

need_swift() {
    command -v swift >/dev/null 2>&1 && return 0
    cat >&2 <<'MESSAGE'
Swift is not installed: this project needs Swift 6.3 or later.
Install a toolchain for your Debian from https://www.swift.org/install/linux/, put its usr/bin on PATH,
and run this script again.
MESSAGE
    exit 1
}

as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        return 1
    fi
}

# need_packages COMMAND-THAT-SUCCEEDS-WHEN-THERE PACKAGE...
need_packages() {
    local check=$1
    shift
    bash -c "$check" >/dev/null 2>&1 && return 0
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "Missing: $*. This script installs with apt-get only; install them with your own package manager." >&2
        exit 1
    fi
    if [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null 2>&1; then
        echo "Missing: $*. To install them, run as root: apt-get update && apt-get install -y $*" >&2
        exit 1
    fi
    echo "installing $*" >&2
    local log
    log=$(mktemp)
    if ! { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y "$@"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "apt-get could not install: $*" >&2
        exit 1
    fi
    rm -f "$log"
}

need_build_tools() {
    need_swift
    need_packages 'command -v pkg-config && pkg-config --atleast-version=1.44 libuv' libuv1-dev pkg-config
}
