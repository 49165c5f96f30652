internal import CLibUV

/// The name of a Unix domain socket, which is a path or a name in Linux's abstract namespace.
public struct UVPipeName: Hashable, Sendable {
    /// The bytes of the name as the system represents them.
    ///
    /// An abstract name begins with a zero byte. A socket without a name has no bytes.
    public let bytes: [UInt8]

    /// Makes a name from the bytes with which the system represents it.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// Returns a path as a name.
    ///
    /// The socket is a file at this path.
    ///
    /// On Linux, a path has at most 107 bytes.
    public static func path(_ path: String) -> UVPipeName { UVPipeName(bytes: Array(path.utf8)) }

    /// Returns a name in the abstract namespace of Linux.
    ///
    /// `name` excludes the leading zero byte and has at most 107 bytes.
    ///
    /// An abstract name exists only as long as its socket. There is no file to remove, and there are no permissions to
    /// restrict access.
    public static func abstract(_ name: String) -> UVPipeName { UVPipeName(bytes: [0] + Array(name.utf8)) }

    /// The name of a socket that was never bound, for example the socket of a client.
    public static var unnamed: UVPipeName { UVPipeName(bytes: []) }

    /// Whether the name is in the abstract namespace.
    public var isAbstract: Bool { bytes.first == 0 }

    /// The path, or `nil` if the name is abstract or empty.
    public var path: String? { isAbstract || bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self) }
}

extension UVPipeName: CustomStringConvertible {
    /// The path, or an abstract name with `@` in place of its leading zero byte, as `ss` and `netstat` print it.
    public var description: String {
        isAbstract ? "@" + String(decoding: bytes.dropFirst(), as: UTF8.self) : path ?? "unnamed"
    }
}

extension UVPipeName {
    /// The capacity of the system's structure in bytes, including the zero byte after a path.
    static var capacity: Int { MemoryLayout.size(ofValue: sockaddr_un().sun_path) }

    /// Throws an error for a name that the system would truncate or confuse with another name.
    func check(_ operation: String) throws(UVError) {
        #if !os(Linux)
            if isAbstract { throw UVError(.notSupported, operation: operation) }
        #endif
        guard bytes.count > (isAbstract ? 1 : 0), !bytes.dropFirst().contains(0) else {
            throw UVError(.invalidArgument, operation: operation)
        }
        guard bytes.count + (isAbstract ? 0 : 1) <= UVPipeName.capacity else {
            throw UVError(.nameTooLong, operation: operation)
        }
    }

    /// Calls `body` with the bytes of the name, followed by a zero byte, and with the number of bytes before that zero
    /// byte.
    func withBytes<Outcome>(_ body: (UnsafePointer<CChar>, Int) -> Outcome) -> Outcome {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
            for (index, byte) in bytes.enumerated() {
                unsafe buffer.initializeElement(at: index, to: CChar(bitPattern: byte))
            }
            unsafe buffer.initializeElement(at: bytes.count, to: 0)
            // The allocation is not empty, so it has a base address.
            return unsafe body(UnsafePointer(buffer.baseAddress.unsafelyUnwrapped), bytes.count)
        }
    }
}

extension UVHandle {
    /// Returns the name that a libuv call writes for an open handle.
    final func readName(
        _ operation: String, _ call: (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<Int>) -> Int32
    ) throws(UVError) -> UVPipeName {
        try checkOpen(operation)
        var count = UVPipeName.capacity + 1
        var bytes = [CChar](repeating: 0, count: count)
        let status = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            // The array is not empty, so it has a base address.
            unsafe call(buffer.baseAddress.unsafelyUnwrapped, &count)
        }
        try check(status, operation)
        return UVPipeName(bytes: bytes.prefix(count).map { UInt8(bitPattern: $0) })
    }
}
