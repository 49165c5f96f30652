internal import CLibUV
internal import SocketAddresses

/// Conversions between `SocketAddress` and `sockaddr`.
enum SystemAddress {
    /// Returns the system's number for a family, or `AF_UNSPEC` for `nil`.
    static func family(_ family: SocketAddress.Family?) -> UInt32 {
        switch family {
        case .ipv4: UInt32(AF_INET)
        case .ipv6: UInt32(AF_INET6)
        case nil: UInt32(AF_UNSPEC)
        }
    }

    /// Calls `body` with an address as a `sockaddr`, or with `nil` if there is no address.
    ///
    /// - Throws: `invalidArgument` if the zone of the address is unknown.
    static func withOptional<Outcome>(
        _ address: SocketAddress?, _ operation: String, _ body: (UnsafePointer<sockaddr>?) -> Outcome
    ) throws(UVError) -> Outcome {
        guard let address else { return body(nil) }
        return try unsafe with(address, operation) { system in unsafe body(system) }
    }

    /// Calls `body` with an address as a `sockaddr`.
    ///
    /// - Throws: `invalidArgument` if the zone of the address is unknown.
    static func with<Outcome>(
        _ address: SocketAddress, _ operation: String, _ body: (UnsafePointer<sockaddr>) -> Outcome
    ) throws(UVError) -> Outcome {
        var storage = sockaddr_storage()
        guard unsafe address.write(to: &storage) != nil else {
            throw UVError(.invalidArgument, operation: operation, detail: "\(address)")
        }
        // A sockaddr_storage has room for the addresses of all families, and begins with the fields of a sockaddr.
        return unsafe withUnsafePointer(to: &storage) { storage in
            unsafe body(UnsafeRawPointer(storage).assumingMemoryBound(to: sockaddr.self))
        }
    }

    /// Returns the address that `call` writes as a `sockaddr`.
    static func read(
        _ operation: String, _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<Int32>) -> Int32
    ) throws(UVError) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = Int32(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) { storage in
            unsafe call(UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self), &length)
        }
        try check(status, operation)
        guard let address = parse(&storage) else {
            throw UVError(.invalidArgument, operation: operation)
        }
        return address
    }

    /// Converts a `sockaddr_storage`, or returns `nil` if its family is neither IPv4 nor IPv6.
    static func parse(_ storage: inout sockaddr_storage) -> SocketAddress? {
        unsafe withUnsafePointer(to: &storage) { storage in
            unsafe SocketAddress(UnsafeRawPointer(storage).assumingMemoryBound(to: sockaddr.self))
        }
    }
}

extension UVHandle {
    /// Makes a libuv call with an address as a `sockaddr`, for this handle, which must be open.
    final func call(
        _ operation: String, with address: SocketAddress, _ body: (UnsafePointer<sockaddr>) -> Int32
    ) throws(UVError) {
        try checkOpen(operation)
        let status = try unsafe SystemAddress.with(address, operation, body)
        if status < 0 { throw UVError(code: status, operation: operation, detail: "\(address)") }
    }

    /// Returns the address that a libuv call writes for this handle, which must be open.
    final func readAddress(
        _ operation: String, _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<Int32>) -> Int32
    ) throws(UVError) -> SocketAddress {
        try checkOpen(operation)
        return try unsafe SystemAddress.read(operation, call)
    }
}
