internal import CLibUV

/// The name of a Unix domain socket: a path, or a name in Linux's abstract namespace, which no file stands for.
public struct UVPipeName: Hashable, Sendable {
    /// The bytes as the system has them: an abstract name begins with a zero, and a socket without a name has none.
    public let bytes: [UInt8]

    /// Makes a name of the bytes that the system has for it.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// The name that a path is: the socket is a file there, and at most 107 bytes of it are allowed on Linux.
    public static func path(_ path: String) -> UVPipeName { UVPipeName(bytes: Array(path.utf8)) }

    /// A name in the abstract namespace of Linux, given without its leading zero, at most 107 bytes.
    ///
    /// It goes with its socket: no file is left behind, and no permission guards it.
    public static func abstract(_ name: String) -> UVPipeName { UVPipeName(bytes: [0] + Array(name.utf8)) }

    /// What a socket has that was never bound, such as a client's.
    public static var unnamed: UVPipeName { UVPipeName(bytes: []) }

    /// Whether the name is one of the abstract namespace.
    public var isAbstract: Bool { bytes.first == 0 }

    /// The path; `nil` for an abstract name, or none.
    public var path: String? { isAbstract || bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self) }
}

extension UVPipeName: CustomStringConvertible {
    /// The path; an abstract name has `@` for its leading zero, as `ss` and `netstat` print it.
    public var description: String {
        isAbstract ? "@" + String(decoding: bytes.dropFirst(), as: UTF8.self) : path ?? "unnamed"
    }
}

extension UVPipeName {
    /// How many bytes the system has room for, a path's ending zero among them.
    static var capacity: Int { MemoryLayout.size(ofValue: sockaddr_un().sun_path) }

    /// Refuses what the system would cut short or take for another name.
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

    /// Calls `body` with the name's bytes, which a zero follows, and their count without that zero.
    func withBytes<Outcome>(_ body: (UnsafePointer<CChar>, Int) -> Outcome) -> Outcome {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
            for (index, byte) in bytes.enumerated() {
                unsafe buffer.initializeElement(at: index, to: CChar(bitPattern: byte))
            }
            unsafe buffer.initializeElement(at: bytes.count, to: 0)
            // A temporary allocation of more than nothing has a base address.
            return unsafe body(UnsafePointer(buffer.baseAddress.unsafelyUnwrapped), bytes.count)
        }
    }
}

extension UVHandle {
    /// The name that a call of libuv writes for a handle that is open.
    final func readName(
        _ operation: String, _ call: (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<Int>) -> Int32
    ) throws(UVError) -> UVPipeName {
        try checkOpen(operation)
        var count = UVPipeName.capacity + 1
        var bytes = [CChar](repeating: 0, count: count)
        let status = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            // The array is not empty, and has a base address.
            unsafe call(buffer.baseAddress.unsafelyUnwrapped, &count)
        }
        try check(status, operation)
        return UVPipeName(bytes: bytes.prefix(count).map { UInt8(bitPattern: $0) })
    }
}
