# shellcheck shell=bash
# The library's public interface from the compiler: symbol graphs for documentation, Swift text for review.

# The directory that they are written to.
interface=.build/interface

# The modules that `import LibUV` imports, and the one that reports a loop's metrics.
public_modules=(LibUV SocketAddresses LibUVMetrics)

# build_library : builds the modules and sets the compiler options that find them.
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

# write_symbol_graphs : one directory for each module.
write_symbol_graphs() {
    local module
    for module in "${public_modules[@]}"; do
        mkdir -p "$interface/$module"
        swift symbolgraph-extract -module-name "$module" "${finding[@]}" -minimum-access-level public \
            -skip-synthesized-members -output-dir "$interface/$module"
    done
}

# write_declarations : one file MODULE.txt for each module, in the directory `api`.
write_declarations() {
    local module
    mkdir -p "$interface/api"
    for module in "${public_modules[@]}"; do
        swift-synthesize-interface -module-name "$module" "${finding[@]}" -o "$interface/$module.swiftinterface"
        python3 scripts/interface/declarations.py "$module" "$interface/$module.swiftinterface" >"$interface/api/$module.txt"
    done
}
