# shellcheck shell=bash
# What the scripts have in common. Sourced at the top of each: strict mode, the project as the current directory, and
# functions that install what a script needs, build the programs, and explain the script.
# If --no-install is among the script's arguments, it is removed from them, and the script prints what is missing and how
# to install it, and fails.
set -euo pipefail
script=$(realpath "$0")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# Some of Debian's commands are not on a user's PATH.
PATH=$PATH:/usr/sbin:/sbin
# The Python modules that several scripts use.
export PYTHONPATH=$PWD/scripts/lib PYTHONDONTWRITEBYTECODE=1

arguments=()
for argument in "$@"; do
    if [[ $argument == --no-install ]]; then export NO_INSTALL=yes; else arguments+=("$argument"); fi
done
set -- ${arguments[@]+"${arguments[@]}"}
unset arguments argument

# usage : the comment at the top of the script.
usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$script"; }
usage_error() { usage >&2; exit 64; }

# fail TEXT... : prints why the script fails.
fail() { echo "${script##*/}: $*" >&2; exit 1; }

# temporary_directory : a directory in $work. At the end, the script calls `finish`, if that is defined, and deletes it.
# The exit code is in $status.
temporary_directory() {
    work=$(mktemp -d)
    trap 'status=$?; ! declare -F finish >/dev/null || finish; rm -rf "$work"' EXIT
}

# quietly COMMAND... : prints the command's output only if it fails.
quietly() {
    local log
    log=$(mktemp)
    "$@" >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; exit 1; }
    rm -f "$log"
}

# build_release PRODUCT... : the programs in .build/release.
build_release() {
    local product
    need_build_tools
    for product in "$@"; do quietly swift build -c release --product "$product"; done
}

need_swift() {
    command -v swift >/dev/null 2>&1 || fail "Swift is not installed: this project needs Swift 6.3 or later." \
        "Install a toolchain for your Debian from https://www.swift.org/install/linux/, add its usr/bin to PATH, and" \
        "run this script again."
}

as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else command -v sudo >/dev/null 2>&1 && sudo "$@"; fi
}

# announce WHAT HOW : says that something is going to be installed; fails if it must not be.
announce() {
    [[ -z ${NO_INSTALL-} ]] || fail "missing: $1. Install with: $2"
    echo "Installing $1 (use --no-install to print what is missing instead)" >&2
}

# need COMMAND=PACKAGE[,PACKAGE...]... : Debian's packages for the commands that are missing.
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

# need_python DIRECTORY MODULE PACKAGE... : Python packages, in a directory of their own.
need_python() {
    local directory=$1 module=$2
    shift 2
    need python3=python3 pip3=python3-pip
    ! PYTHONPATH=$directory python3 -c "import $module" 2>/dev/null || return 0
    announce "$* in $directory" "python3 -m pip install --target $directory $*"
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --upgrade \
        --target "$directory" "$@"
}

# need_promtool : Prometheus' checker, in $promtool. Debian's package would start a Prometheus: it is unpacked only.
need_promtool() {
    local directory=$PWD/.build/promtool
    promtool=${PROMTOOL:-$(command -v promtool || true)}
    [[ -z $promtool ]] || return 0
    promtool=$directory/usr/bin/promtool
    [[ ! -x $promtool ]] || return 0
    command -v apt-get >/dev/null || fail "missing: promtool. Give its path in PROMTOOL."
    announce "promtool in .build" "apt-get install prometheus, or give its path in PROMTOOL"
    mkdir -p "$directory"
    # The local package lists may be outdated.
    (cd "$directory" &&
        { apt-get download -qq prometheus || { as_root apt-get update -qq && apt-get download -qq prometheus; }; }) >&2
    dpkg -x "$directory"/prometheus_*.deb "$directory"
    rm -f "$directory"/prometheus_*.deb
}
