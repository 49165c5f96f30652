# shellcheck shell=bash

# make_package DIRECTORY TARGET... : makes a package that contains only the given test targets and the targets that they
# need. SwiftPM links all test targets of a package into one program, so a test of the project's own package would build
# every target.
make_package() {
    local directory=$1 name
    shift
    rm -rf "$directory" && mkdir -p "$directory"
    for name in Modules Sources Tests; do ln -s "$PWD/$name" "$directory/$name"; done
    { cat Package.swift; printf '\nvar needed: Set<String> = [%s]\n' "$(printf '"%s", ' "$@")"; cat <<'EOF'; } \
        >"$directory/Package.swift"
var needsProducts = false
var count = 0
while count < needed.count {
    count = needed.count
    for target in package.targets where needed.contains(target.name) {
        for dependency in target.dependencies {
            if case .byNameItem(let name, _) = dependency { needed.insert(name) } else { needsProducts = true }
        }
    }
}
package.targets.removeAll { !needed.contains($0.name) }
package.products = []
if !needsProducts { package.dependencies = [] }
EOF
}
