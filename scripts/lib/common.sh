# shellcheck shell=bash
# Settings and functions that all scripts share. Each script sources this file first. The file enables strict mode,
# makes the project's directory the current directory, and defines functions that install packages, build the programs
# and print the script's usage.
# The file removes --no-install from the script's arguments. With this argument, a script does not install packages. If
# a package is missing, the script prints how to install it, and fails.
set -euo pipefail
script=$(realpath "$0")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# Debian installs some commands in directories that are not on an unprivileged user's PATH.
PATH=$PATH:/usr/sbin:/sbin
# The Python scripts import modules from scripts/lib.
export PYTHONPATH=$PWD/scripts/lib PYTHONDONTWRITEBYTECODE=1

arguments=()
for argument in "$@"; do
    if [[ $argument == --no-install ]]; then export NO_INSTALL=yes; else arguments+=("$argument"); fi
done
set -- ${arguments[@]+"${arguments[@]}"}
unset arguments argument

# usage : prints the comment at the top of the script.
usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$script"; }
usage_error() { usage >&2; exit 64; }

# fail TEXT... : prints TEXT as the script's error, and exits with code 1.
fail() { echo "${script##*/}: $*" >&2; exit 1; }

# temporary_directory : creates a directory, and sets $work to its path. On exit, the script calls the function
# `finish`, if it is defined, and deletes the directory. `finish` can read the exit code from $status.
temporary_directory() {
    work=$(mktemp -d)
    trap 'status=$?; ! declare -F finish >/dev/null || finish; rm -rf "$work"' EXIT
}

# quietly COMMAND... : runs a command. If the command fails, prints its output and exits with code 1.
quietly() {
    local log
    log=$(mktemp)
    "$@" >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; exit 1; }
    rm -f "$log"
}

# build_release PRODUCT... : builds programs into .build/release.
build_release() {
    local product
    need_build_tools
    for product in "$@"; do quietly swift build -c release --product "$product"; done
}

need_swift() {
    command -v swift >/dev/null 2>&1 || fail "Swift is not installed. This project needs Swift 6.3 or later." \
        "Install a toolchain for your version of Debian from https://www.swift.org/install/linux/, add its usr/bin to" \
        "PATH, and run this script again."
}

# as_root COMMAND... : runs a command as root, with sudo if necessary. Fails if the user is not root and sudo is
# missing.
as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else command -v sudo >/dev/null 2>&1 && sudo "$@"; fi
}

# announce WHAT HOW : prints that the script installs WHAT. With --no-install, prints HOW to install it, and fails.
announce() {
    [[ -z ${NO_INSTALL-} ]] || fail "missing: $1. Install with: $2"
    echo "Installing $1 (with --no-install, the script prints what is missing instead)" >&2
}

# need COMMAND=PACKAGE[,PACKAGE...]... : for each missing command, installs Debian's packages that contain it.
need() {
    local packages=() pair
    for pair in "$@"; do
        case ${pair%%=*} in
        libuv) pkg-config --atleast-version=1.44 libuv ;;
        *) command -v "${pair%%=*}" ;;
        esac >/dev/null 2>&1 || packages+=("${pair#*=}")
    done
    [[ ${#packages[@]} -gt 0 ]] || return 0
    IFS=, read -ra packages <<<"$(IFS=,; echo "${packages[*]}")"
    local install="apt-get update && apt-get install -y --no-install-recommends ${packages[*]}"
    command -v apt-get >/dev/null 2>&1 ||
        fail "missing: ${packages[*]} (Debian's names). Install them with your package manager."
    [[ -n ${NO_INSTALL-} ]] || as_root true || fail "missing: ${packages[*]}. Run as root: $install"
    announce "${packages[*]}" "$install"
    quietly as_root apt-get update
    quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"
}

need_build_tools() { need_swift; need pkg-config=pkg-config libuv=libuv1-dev; }

# need_python DIRECTORY MODULE PACKAGE... : installs Python packages in DIRECTORY, unless MODULE is already there.
need_python() {
    local directory=$1 module=$2
    shift 2
    need python3=python3 pip3=python3-pip
    ! PYTHONPATH=$directory python3 -c "import $module" 2>/dev/null || return 0
    announce "$* in $directory" "python3 -m pip install --target $directory $*"
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --upgrade \
        --target "$directory" "$@"
}

# need_promtool : sets $promtool to the path of Prometheus' checker. If promtool is missing, unpacks Debian's package
# without installing it. An installation would start a Prometheus server.
need_promtool() {
    local directory=$PWD/.build/promtool
    promtool=${PROMTOOL:-$(command -v promtool || true)}
    [[ -z $promtool ]] || return 0
    promtool=$directory/usr/bin/promtool
    [[ ! -x $promtool ]] || return 0
    command -v apt-get >/dev/null || fail "missing: promtool. Set PROMTOOL to its path."
    announce "promtool in .build" "apt-get install prometheus, or set PROMTOOL to its path"
    mkdir -p "$directory"
    # If the local package lists are outdated, the download fails. Update them, and try again.
    (cd "$directory" &&
        { apt-get download -qq prometheus || { as_root apt-get update -qq && apt-get download -qq prometheus; }; }) >&2
    dpkg -x "$directory"/prometheus_*.deb "$directory"
    rm -f "$directory"/prometheus_*.deb
}
