// swift-tools-version: 6.3
import PackageDescription

// All targets are compiled with these settings. Each unsafe construct must be marked, warnings are errors, and each
// file must declare the imports that it needs.
let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let coreMetrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let realModule: Target.Dependency = .product(name: "RealModule", package: "swift-numerics")

// A target imports only targets of a lower rank. docs/architecture.md shows the ranks.
let package = Package(
    name: "swift-libuv",
    products: [
        .library(name: "LibUV", targets: ["LibUV", "SocketAddresses"]),
        .library(name: "LibUVMetrics", targets: ["LibUVMetrics"]),
        .executable(name: "uvserver", targets: ["uvserver"]),
        .executable(name: "uvbench", targets: ["uvbench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // Rank 0: targets that import no other target of this package.
        .systemLibrary(
            name: "CLibUV", path: "Modules/CLibUV", pkgConfig: "libuv",
            providers: [.apt(["libuv1-dev"]), .brew(["libuv"])]),
        .systemLibrary(name: "CLinux", path: "Modules/CLinux"),
        .target(name: "IncrementProtocol", path: "Sources/Server/IncrementProtocol", swiftSettings: strict),
        .target(name: "SocketAddresses", path: "Sources/Library/SocketAddresses", swiftSettings: strict),
        .target(name: "HTTPProtocol", path: "Sources/Server/HTTPProtocol", swiftSettings: strict),
        .target(
            name: "Measurements", dependencies: [histogram, realModule], path: "Sources/Bench/Measurements",
            swiftSettings: strict),

        // Rank 1: libuv's handles, system calls, the report page, and the PROXY protocol.
        .target(
            name: "LibUV", dependencies: ["CLibUV", "SocketAddresses"], path: "Sources/Library/LibUV",
            swiftSettings: strict),
        .target(
            name: "SystemCalls", dependencies: ["CLinux", "SocketAddresses"], path: "Sources/Server/SystemCalls",
            swiftSettings: strict),
        .target(
            name: "Reporting", dependencies: ["Measurements"], path: "Sources/Bench/Reporting",
            resources: [.embedInCode("Page/page.css"), .embedInCode("Page/page.js")], swiftSettings: strict),
        .target(
            name: "ProxyProtocol", dependencies: ["SocketAddresses"], path: "Sources/Server/ProxyProtocol",
            swiftSettings: strict),

        // Rank 2: the library's metrics, the terminal, the servers, their clients, the load generator, and the
        // administration. The clients and the load generator do not import the servers.
        .target(
            name: "Terminal", dependencies: ["SocketAddresses", "SystemCalls", argumentParser],
            path: "Sources/Server/Terminal", swiftSettings: strict),
        .target(
            name: "LibUVMetrics", dependencies: ["LibUV", coreMetrics], path: "Sources/Library/LibUVMetrics",
            swiftSettings: strict),
        .target(
            name: "Servers",
            dependencies: ["IncrementProtocol", "LibUV", "ProxyProtocol", "SocketAddresses", "SystemCalls", logging],
            path: "Sources/Server/Servers", swiftSettings: strict),
        .target(
            name: "Clients", dependencies: ["IncrementProtocol", "SocketAddresses", "SystemCalls"],
            path: "Sources/Server/Clients", swiftSettings: strict),
        .target(
            name: "LoadGenerator",
            dependencies: ["IncrementProtocol", "Measurements", "SocketAddresses", "SystemCalls"],
            path: "Sources/Bench/LoadGenerator", swiftSettings: strict),

        .target(
            name: "Administration", dependencies: ["HTTPProtocol", "LibUV", "SocketAddresses", "SystemCalls"],
            path: "Sources/Server/Administration", swiftSettings: strict),

        // Rank 3: the comparison of servers.
        .target(
            name: "Comparison",
            dependencies: [
                "Clients", "IncrementProtocol", "LoadGenerator", "Measurements", "Reporting", "Servers",
                "SocketAddresses", "SystemCalls", "Terminal",
            ], path: "Sources/Bench/Comparison", swiftSettings: strict),

        // Rank 4: the two programs.
        .executableTarget(
            name: "uvserver",
            dependencies: [
                "Administration", "Clients", "LibUV", "ProxyProtocol", "Servers", "SocketAddresses", "SystemCalls",
                "Terminal", argumentParser, logging,
            ], path: "Sources/Server/uvserver", swiftSettings: strict),
        .executableTarget(
            name: "uvbench",
            dependencies: [
                "Comparison", "IncrementProtocol", "LoadGenerator", "Measurements", "Reporting", "Servers",
                "SocketAddresses", "SystemCalls", "Terminal", argumentParser,
            ], path: "Sources/Bench/uvbench", swiftSettings: strict),

        // The conversations that every server must support. The tests of several targets share them.
        .target(
            name: "Conversations", path: "Tests/Server/Conversations", resources: [.copy("vectors.json")],
            swiftSettings: strict),
        .testTarget(
            name: "IncrementProtocolTests", dependencies: ["Conversations", "IncrementProtocol"],
            path: "Tests/Server/IncrementProtocolTests", swiftSettings: strict),
        .testTarget(
            name: "MeasurementsTests", dependencies: ["Measurements", realModule],
            path: "Tests/Bench/MeasurementsTests", resources: [.copy("Vectors")],
            swiftSettings: strict),
        .testTarget(
            name: "SocketAddressesTests", dependencies: ["SocketAddresses"], path: "Tests/Library/SocketAddressesTests",
            swiftSettings: strict),
        .testTarget(
            name: "LibUVTests", dependencies: ["LibUV", "CLibUV", "SocketAddresses", "SystemCalls"],
            path: "Tests/Library/LibUVTests", swiftSettings: strict),
        .testTarget(
            name: "LibUVMetricsTests",
            dependencies: [
                "LibUV", "LibUVMetrics", "SocketAddresses", coreMetrics,
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ], path: "Tests/Library/LibUVMetricsTests", swiftSettings: strict),
        .testTarget(
            name: "SystemCallsTests", dependencies: ["SystemCalls", "SocketAddresses"],
            path: "Tests/Server/SystemCallsTests", swiftSettings: strict),
        .testTarget(
            name: "ProxyProtocolTests", dependencies: ["Measurements", "ProxyProtocol", "SocketAddresses"],
            path: "Tests/Server/ProxyProtocolTests", swiftSettings: strict),
        .testTarget(
            name: "HTTPProtocolTests", dependencies: ["HTTPProtocol"], path: "Tests/Server/HTTPProtocolTests",
            swiftSettings: strict),
        .testTarget(
            name: "AdministrationTests",
            dependencies: ["Administration", "HTTPProtocol", "LibUV", "SocketAddresses", "SystemCalls"],
            path: "Tests/Server/AdministrationTests", swiftSettings: strict),
        .testTarget(
            name: "ReportingTests", dependencies: ["Measurements", "Reporting"], path: "Tests/Bench/ReportingTests",
            swiftSettings: strict),
        .testTarget(
            name: "ServersTests",
            dependencies: [
                "Conversations", "IncrementProtocol", "ProxyProtocol", "Servers", "SocketAddresses", "SystemCalls",
                logging,
            ], path: "Tests/Server/ServersTests", swiftSettings: strict),
        .testTarget(
            name: "ClientsTests", dependencies: ["Clients", "SocketAddresses", "SystemCalls"],
            path: "Tests/Server/ClientsTests", swiftSettings: strict),
        .testTarget(
            name: "LoadGeneratorTests",
            dependencies: [
                "IncrementProtocol", "LoadGenerator", "Measurements", "Servers", "SocketAddresses", "SystemCalls",
                logging,
            ], path: "Tests/Bench/LoadGeneratorTests", swiftSettings: strict),
        .testTarget(
            name: "ComparisonTests",
            dependencies: [
                "uvserver", "uvbench", "Clients", "Comparison", "LoadGenerator", "Measurements", "Servers",
                "SocketAddresses", "SystemCalls", logging,
            ], path: "Tests/Bench/ComparisonTests", swiftSettings: strict),
        .testTarget(
            name: "uvserverTests",
            dependencies: ["uvserver", "Clients", "Servers", "SocketAddresses", "SystemCalls", logging],
            path: "Tests/Server/uvserverTests", swiftSettings: strict),
        .testTarget(
            name: "TerminalTests", dependencies: ["SocketAddresses", "Terminal", argumentParser],
            path: "Tests/Server/TerminalTests",
            swiftSettings: strict),
        .testTarget(
            name: "uvbenchTests",
            dependencies: [
                "uvbench", "uvserver", "Measurements", "Reporting", "SocketAddresses", "SystemCalls", "Terminal",
            ], path: "Tests/Bench/uvbenchTests", swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
