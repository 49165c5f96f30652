// swift-tools-version: 6.3
import PackageDescription

// scripts/count-hops runs this program. Like a user's program, it has the library as a dependency.
let package = Package(
    name: "hops",
    dependencies: [.package(name: "swift-libuv", path: "../../..")],
    targets: [.executableTarget(name: "hops", dependencies: [.product(name: "LibUV", package: "swift-libuv")])],
    swiftLanguageModes: [.v6]
)
