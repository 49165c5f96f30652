# shellcheck shell=bash

# run_tests_in_processes PROGRAM OPTION... -- OPTION... : runs a program of tests several times at the same time, once
# for each group of options between `--`. The options select the tests. Prints the output of the first group, and that of
# the others if a test fails. Fails if a test fails.
#
# Each test blocks a thread, and Swift has one thread for tests per processor. Many tests of the servers only wait, so
# further processes save time.
run_tests_in_processes() {
    local program=$1 options=() logs=() pids=() option index status=0 failed
    shift
    for option in "$@" --; do
        if [[ $option != -- ]]; then
            options+=("$option")
            continue
        fi
        logs+=("$(mktemp)")
        if [[ ${#pids[@]} == 0 ]]; then
            "$program" --testing-library swift-testing "${options[@]}" &
        else
            "$program" --testing-library swift-testing "${options[@]}" >"${logs[-1]}" 2>&1 &
        fi
        pids+=("$!") options=()
    done
    # Processes in the background ignore the interrupt key.
    trap 'kill "${pids[@]}"' INT TERM
    for index in "${!pids[@]}"; do
        failed=0
        wait "${pids[index]}" || failed=$?
        if [[ $failed != 0 ]]; then cat "${logs[index]}" && status=$failed; else tail -n 1 "${logs[index]}"; fi
        rm -f "${logs[index]}"
    done
    trap - INT TERM
    return "$status"
}
