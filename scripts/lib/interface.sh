# shellcheck shell=bash
# Functions that extract the library's public interface with the compiler's tools: as symbol graphs for the
# documentation, and as Swift text for reviews.

# The directory for the symbol graphs and the Swift text.
interface=.build/interface

# The public modules: LibUV, the module that `import LibUV` also imports, and the module that reports a loop's metrics.
public_modules=(LibUV SocketAddresses LibUVMetrics)

# build_library : builds the modules, and sets $finding to the compiler options that locate them.
build_library() {
    need_build_tools
    need python3=python3
    quietly swift build --target LibUVMetrics
    local target
    target=$(swift -print-target-info | sed -nE 's/^ *"unversionedTriple": "(.*)",$/\1/p')
    rm -rf "$interface"
    mkdir -p "$interface"
    finding=(-I .build/debug/Modules -target "$target" -Xcc "-fmodule-map-file=$PWD/Modules/CLibUV/module.modulemap")
}

# write_symbol_graphs : writes the symbol graphs of each module to $interface/MODULE.
write_symbol_graphs() {
    local module
    for module in "${public_modules[@]}"; do
        mkdir -p "$interface/$module"
        swift symbolgraph-extract -module-name "$module" "${finding[@]}" -minimum-access-level public \
            -skip-synthesized-members -output-dir "$interface/$module"
    done
}

# write_declarations : writes the declarations of each module to $interface/api/MODULE.txt.
write_declarations() {
    local module
    mkdir -p "$interface/api"
    for module in "${public_modules[@]}"; do
        swift-synthesize-interface -module-name "$module" "${finding[@]}" -o "$interface/$module.swiftinterface"
        python3 scripts/interface/declarations.py "$module" "$interface/$module.swiftinterface" >"$interface/api/$module.txt"
    done
}
