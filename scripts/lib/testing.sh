# shellcheck shell=bash

# run_tests_in_two_processes PROGRAM OPTION... -- OPTION... : runs a program of tests twice at the same time, with the
# options before and after `--`. The options select the tests. Fails if a test fails.
#
# Each test blocks a thread, and Swift has one thread for tests per processor. Many tests of the servers only wait, so
# a second process saves time.
run_tests_in_two_processes() {
    local program=$1 first=() log pid status=0
    shift
    while [[ $1 != -- ]]; do first+=("$1") && shift; done
    shift
    log=$(mktemp)
    "$program" --testing-library swift-testing "$@" >"$log" 2>&1 &
    pid=$!
    # A process in the background ignores the interrupt key.
    trap 'kill "$pid"' INT TERM
    "$program" --testing-library swift-testing "${first[@]}" || status=$?
    wait "$pid" || status=$?
    trap - INT TERM
    if [[ $status == 0 ]]; then tail -n 1 "$log"; else cat "$log"; fi
    rm -f "$log"
    return "$status"
}
