// swift-tools-version: 6.3
import PackageDescription

// This package names the library by its path. Your package would name it by its URL.
func example(_ name: String) -> Target {
    .executableTarget(name: name, dependencies: [.product(name: "LibUV", package: "swift-libuv")])
}

let package = Package(
    name: "examples",
    dependencies: [
        .package(name: "swift-libuv", path: ".."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        example("hello-loop"), example("echo-callbacks"), example("echo-async"), example("increment-server"),
        example("chat-room"), example("port-scanner"), example("tcp-proxy"), example("two-loops"),
        example("udp-echo"), example("udp-echo-async"), example("supervisor"), example("line-server"),
        example("capture-output"), example("protocol-test"), example("main-actor"),
        example("main-actor-async"),
        .executableTarget(
            name: "main-actor-default", dependencies: [.product(name: "LibUV", package: "swift-libuv")],
            swiftSettings: [.defaultIsolation(MainActor.self)]),
        .executableTarget(
            name: "lifecycle-service",
            dependencies: [
                .product(name: "LibUV", package: "swift-libuv"), .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        .executableTarget(
            name: "loop-metrics",
            dependencies: [
                .product(name: "LibUV", package: "swift-libuv"), .product(name: "LibUVMetrics", package: "swift-libuv"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
