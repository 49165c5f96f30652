// swift-tools-version: 6.3
import PackageDescription

// What scripts/count-hops runs: a program on the library as a stranger's would be.
let package = Package(
    name: "hops",
    dependencies: [.package(name: "swift-uv", path: "../../..")],
    targets: [.executableTarget(name: "hops", dependencies: [.product(name: "LibUV", package: "swift-uv")])],
    swiftLanguageModes: [.v6]
)
