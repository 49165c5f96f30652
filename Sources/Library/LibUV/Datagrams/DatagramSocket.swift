internal import CLibUV
internal import SocketAddresses

/// Operations on a datagram socket's descriptor, for versions of libuv without these operations.
enum DatagramSocket {
    /// Clears `SO_REUSEADDR`, which libuv before 1.52 sets on each socket that it adopts.
    static func forbidReuse(of descriptor: Int32) {
        // This cannot fail, because libuv has just set the same option.
        _ = SystemDescriptor.set(descriptor, SO_REUSEADDR, 0)
    }

    /// Returns whether a UDP socket allows other sockets to bind its address (`SO_REUSEADDR`).
    ///
    /// - Throws: the system's error, for example `badDescriptor`; `invalidArgument` if the descriptor is not an IPv4 or
    ///   IPv6 datagram socket.
    static func reusesAddress(_ descriptor: Int32) throws(UVError) -> Bool {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) { storage in
            // Every address structure begins with the fields of a sockaddr.
            unsafe getsockname(
                descriptor, UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self), &length)
        }
        guard status == 0 else { throw UVError(code: -cuv_errno(), operation: "getsockname") }
        guard SystemAddress.parse(&storage) != nil, try get(descriptor, SO_TYPE) == cuv_datagram_type else {
            throw UVError(.invalidArgument, operation: "uv_udp_open")
        }
        return try get(descriptor, SO_REUSEADDR) != 0
    }

    private static func get(_ descriptor: Int32, _ option: Int32) throws(UVError) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, option, &value, &length) == 0 else {
            throw UVError(code: -cuv_errno(), operation: "getsockopt")
        }
        return value
    }
}
