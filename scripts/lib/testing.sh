# shellcheck shell=bash

# run_tests_in_processes PROGRAM OPTION... -- OPTION... : runs a test program in several processes at the same time, one
# for each group of options. `--` separates the groups. The options select the tests. Prints the output of the first
# process, and the last line of every other process, or its whole output if it fails. Fails if a test fails.
#
# Each test blocks a thread, and Swift has one thread for tests per processor. Many tests of the servers only wait, so
# more processes save time. A process that runs for 20 minutes is ended, and the tests that were running are printed.
run_tests_in_processes() {
    local program=$1 options=() logs=() pids=() option index status=0 failed
    shift
    for option in "$@" --; do
        if [[ $option != -- ]]; then
            options+=("$option")
            continue
        fi
        logs+=("$(mktemp)")
        # If `timeout` is ended, it also ends the process.
        if [[ ${#pids[@]} == 0 ]]; then
            timeout -k 10 1200 "$program" --testing-library swift-testing "${options[@]}" > >(tee "${logs[-1]}") 2>&1 &
        else
            timeout -k 10 1200 "$program" --testing-library swift-testing "${options[@]}" >"${logs[-1]}" 2>&1 &
        fi
        pids+=("$!") options=()
    done
    # Processes in the background ignore the interrupt key.
    trap 'kill "${pids[@]}"' INT TERM
    for index in "${!pids[@]}"; do
        failed=0
        wait "${pids[index]}" || failed=$?
        if [[ $failed == 0 ]]; then
            [[ $index == 0 ]] || tail -n 1 "${logs[index]}"
        else
            status=$failed
            [[ $index == 0 ]] || cat "${logs[index]}"
            if [[ $failed == 124 ]]; then
                echo "the tests did not end within 20 minutes; these were running:" >&2
                comm -23 <(sed -nE 's/^.* Test (\w+\(.*\)) started\.$/    \1/p' "${logs[index]}" | sort) \
                    <(sed -nE 's/^.* Test (\w+\(.*\)) (with .* )?(passed|failed) after .*/    \1/p' "${logs[index]}" |
                        sort) >&2
            fi
        fi
        rm -f "${logs[index]}"
    done
    trap - INT TERM
    return "$status"
}
