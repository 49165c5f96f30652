internal import CLibUV
internal import SocketAddresses

/// Socket addresses as the system has them, to and from this package's own.
enum SystemAddress {
    /// What libuv and the system call a family; that of no address where there is none.
    static func family(_ family: SocketAddress.Family?) -> UInt32 {
        switch family {
        case .ipv4: UInt32(AF_INET)
        case .ipv6: UInt32(AF_INET6)
        case nil: UInt32(AF_UNSPEC)
        }
    }

    /// Calls `body` with an address in the system's form, or with none.
    ///
    /// - Throws: `invalidArgument` for an address with an unknown zone.
    static func withOptional<Outcome>(
        _ address: SocketAddress?, _ operation: String, _ body: (UnsafePointer<sockaddr>?) -> Outcome
    ) throws(UVError) -> Outcome {
        guard let address else { return body(nil) }
        return try unsafe with(address, operation) { system in unsafe body(system) }
    }

    /// Calls `body` with an address in the system's form.
    ///
    /// - Throws: `invalidArgument` for an address with an unknown zone.
    static func with<Outcome>(
        _ address: SocketAddress, _ operation: String, _ body: (UnsafePointer<sockaddr>) -> Outcome
    ) throws(UVError) -> Outcome {
        var storage = sockaddr_storage()
        guard unsafe address.write(to: &storage) != nil else {
            throw UVError(.invalidArgument, operation: "\(operation) (\(address))")
        }
        // A sockaddr_storage has room for the address of every family, and begins as each of them.
        return unsafe withUnsafePointer(to: &storage) { storage in
            unsafe body(UnsafeRawPointer(storage).assumingMemoryBound(to: sockaddr.self))
        }
    }

    /// The address that `call` writes in the system's form.
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

    /// An address of the system's, where it is one of the Internet protocol.
    static func parse(_ storage: inout sockaddr_storage) -> SocketAddress? {
        unsafe withUnsafePointer(to: &storage) { storage in
            unsafe SocketAddress(UnsafeRawPointer(storage).assumingMemoryBound(to: sockaddr.self))
        }
    }
}

extension UVHandle {
    /// Makes a call of libuv with an address in the system's form on a handle that is open.
    final func call(
        _ operation: String, with address: SocketAddress, _ body: (UnsafePointer<sockaddr>) -> Int32
    ) throws(UVError) {
        try checkOpen(operation)
        try check(unsafe SystemAddress.with(address, operation, body), operation)
    }

    /// The address that a call of libuv writes for a handle that is open.
    final func readAddress(
        _ operation: String, _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<Int32>) -> Int32
    ) throws(UVError) -> SocketAddress {
        try checkOpen(operation)
        return try unsafe SystemAddress.read(operation, call)
    }
}
