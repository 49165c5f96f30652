// swift-tools-version: 6.3
import PackageDescription

// The program that scripts/count-hops runs: it uses the library as a dependency, like any user's program.
let package = Package(
    name: "hops",
    dependencies: [.package(name: "swift-libuv", path: "../../..")],
    targets: [.executableTarget(name: "hops", dependencies: [.product(name: "LibUV", package: "swift-libuv")])],
    swiftLanguageModes: [.v6]
)
