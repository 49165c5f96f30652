internal import CLibUV

/// A version of libuv.
public struct UVVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The version in libuv's encoding, which is `0xMMmmpp` (`UV_VERSION_HEX`).
    public let encoded: UInt32

    /// Makes a version from libuv's encoding.
    public init(encoded: UInt32) { self.encoded = encoded }

    /// The version of the libuv header with which this library was compiled.
    public static var compiled: UVVersion { UVVersion(encoded: cuv_header_version) }

    /// The version of libuv with which the process runs (`uv_version`).
    public static var running: UVVersion { UVVersion(encoded: uv_version()) }

    /// The name of the version of libuv with which the process runs, for example `1.51.1-dev` (`uv_version_string`).
    public static var runningName: String { unsafe String(cString: uv_version_string()) }

    /// Throws an error if libuv is older at run time than its header at compile time, because functions may be missing.
    ///
    /// - Throws: `UVError` with the code `notSupported`. Its detail contains both versions.
    public static func check(running: UVVersion = .running, compiled: UVVersion = .compiled) throws(UVError) {
        guard running < compiled else { return }
        throw UVError(
            .notSupported, operation: "uv_version",
            detail: "libuv \(running) at run time, but built with \(compiled): upgrade libuv1")
    }

    /// The major, minor and patch version, separated by dots.
    public var description: String { "\(encoded >> 16).\(encoded >> 8 & 0xFF).\(encoded & 0xFF)" }

    /// Returns whether one version is older than another.
    public static func < (left: UVVersion, right: UVVersion) -> Bool { left.encoded < right.encoded }
}
