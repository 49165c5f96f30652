internal import CLibUV

/// A version of libuv.
public struct UVVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The version as libuv encodes it: `0xMMmmpp` (`UV_VERSION_HEX`).
    public let encoded: UInt32

    /// Makes a version from libuv's encoding.
    public init(encoded: UInt32) { self.encoded = encoded }

    /// The version whose header this library was compiled with.
    public static var compiled: UVVersion { UVVersion(encoded: cuv_header_version) }

    /// The version of the library that the process runs with (`uv_version`).
    public static var running: UVVersion { UVVersion(encoded: uv_version()) }

    /// The running library's version in its own words (`uv_version_string`), as in `1.51.1-dev` for one that is not
    /// released.
    public static var runningName: String { unsafe String(cString: uv_version_string()) }

    /// Fails where the library at run time is older than the header at compile time: calls may be missing.
    ///
    /// - Throws: `UVError.Code.notSupported`, with both versions in the operation.
    public static func check(running: UVVersion = .running, compiled: UVVersion = .compiled) throws(UVError) {
        guard running < compiled else { return }
        throw UVError(
            .notSupported, operation: "libuv \(running) at run time, but built with \(compiled): upgrade libuv1")
    }

    /// Major, minor and patch, with dots between.
    public var description: String { "\(encoded >> 16).\(encoded >> 8 & 0xFF).\(encoded & 0xFF)" }

    /// Whether one version is older than another.
    public static func < (left: UVVersion, right: UVVersion) -> Bool { left.encoded < right.encoded }
}
