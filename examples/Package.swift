// swift-tools-version: 6.3
import PackageDescription

// A package of its own, which depends on the library as a stranger's would: by path here, by URL there.
let package = Package(
    name: "examples",
    dependencies: [.package(name: "swift-uv", path: "..")],
    targets: [
        .executableTarget(name: "hello-loop", dependencies: [.product(name: "LibUV", package: "swift-uv")]),
        .executableTarget(name: "echo", dependencies: [.product(name: "LibUV", package: "swift-uv")]),
    ],
    swiftLanguageModes: [.v6]
)
