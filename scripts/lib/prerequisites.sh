# shellcheck shell=bash
# What a script needs in addition to Swift: says what is missing and installs it. Sourced at the top of a script.
# If --no-install is among the script's arguments, it is removed from them, and the script prints what is missing and how
# to install it, and fails.

arguments=()
for argument in "$@"; do
    if [[ $argument == --no-install ]]; then export NO_INSTALL=yes; else arguments+=("$argument"); fi
done
set -- ${arguments[@]+"${arguments[@]}"}
unset arguments argument

# Some of Debian's commands are not on a user's PATH.
PATH=$PATH:/usr/sbin:/sbin

need_swift() {
    command -v swift >/dev/null 2>&1 && return 0
    cat >&2 <<'MESSAGE'
Swift is not installed: this project needs Swift 6.3 or later.
Install a toolchain for your Debian from https://www.swift.org/install/linux/, add its usr/bin to PATH, and run this
script again.
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

# announce WHAT HOW : says that something is going to be installed; fails if it must not be.
announce() {
    if [[ -n ${NO_INSTALL-} ]]; then
        printf 'Missing: %s. Install with: %s\n' "$1" "$2" >&2
        exit 1
    fi
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
    local install="apt-get update && apt-get install -y --no-install-recommends ${packages[*]}" log
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "Missing: ${packages[*]} (Debian's names). Install them with your package manager." >&2
        exit 1
    fi
    if [[ -z ${NO_INSTALL-} ]] && ! as_root true; then
        echo "Missing: ${packages[*]}. Run as root: $install" >&2
        exit 1
    fi
    announce "${packages[*]}" "$install"
    log=$(mktemp)
    if ! { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y \
        --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "apt-get could not install ${packages[*]}" >&2
        exit 1
    fi
    rm -f "$log"
}

need_build_tools() {
    need_swift
    need pkg-config=pkg-config libuv=libuv1-dev
}

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
    command -v apt-get >/dev/null || { echo "Missing: promtool. Give its path in PROMTOOL." >&2; exit 1; }
    announce "promtool in .build" "apt-get install prometheus, or give its path in PROMTOOL"
    mkdir -p "$directory"
    # The local package lists may be outdated.
    (cd "$directory" &&
        { apt-get download -qq prometheus || { as_root apt-get update -qq && apt-get download -qq prometheus; }; }) >&2
    dpkg -x "$directory"/prometheus_*.deb "$directory"
    rm -f "$directory"/prometheus_*.deb
}
