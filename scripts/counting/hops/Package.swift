// swift-tools-version: 6.3
import PackageDescription

// What scripts/count-hops runs: a program on the library as a stranger's would be.
let package = Package(
    name: "hops",
    dependencies: [.package(name: "swift-libuv", path: "../../..")],
    targets: [.executableTarget(name: "hops", dependencies: [.product(name: "LibUV", package: "swift-libuv")])],
    swiftLanguageModes: [.v6]
)
