# shellcheck shell=bash
# The library's public interface, as the compiler tells it: symbol graphs for documentation, Swift text for review.

# Where they are written.
interface=.build/interface

# The modules that `import LibUV` brings along, and the one that tells a backend of metrics about loops.
public_modules=(LibUV SocketAddresses LibUVMetrics)

# build_library: builds what is looked at, and prepares the arguments that find it.
build_library() {
    need_build_tools
    need python3=python3
    local log
    log=$(mktemp)
    if ! swift build --target LibUVMetrics >"$log" 2>&1; then
        # A module's error is told once for each of its files.
        grep -E '(error|warning):' "$log" | awk '!seen[$0]++' >&2 || cat "$log" >&2
        exit 1
    fi
    rm -f "$log"
    local target
    target=$(swift -print-target-info | sed -nE 's/^ *"unversionedTriple": "(.*)",$/\1/p')
    rm -rf "$interface"
    mkdir -p "$interface"
    finding=(-I .build/debug/Modules -target "$target" -Xcc "-fmodule-map-file=$PWD/Modules/CLibUV/module.modulemap")
}

# write_symbol_graphs: one directory for each module.
write_symbol_graphs() {
    local module
    for module in "${public_modules[@]}"; do
        mkdir -p "$interface/$module"
        swift symbolgraph-extract -module-name "$module" "${finding[@]}" -minimum-access-level public \
            -skip-synthesized-members -output-dir "$interface/$module"
    done
}

# write_declarations: one file MODULE.txt for each module.
write_declarations() {
    local module
    for module in "${public_modules[@]}"; do
        swift-synthesize-interface -module-name "$module" "${finding[@]}" -o "$interface/$module.swiftinterface"
        python3 scripts/interface/declarations.py "$module" "$interface/$module.swiftinterface" >"$interface/$module.txt"
    done
}
