internal import CLibUV
internal import SocketAddresses

/// What libuv's functions for datagrams leave out, depending on its version: done on the descriptor.
enum DatagramSocket {
    /// Takes back what libuv before 1.52 sets on each socket that it takes over (`SO_REUSEADDR`).
    static func forbidReuse(of descriptor: Int32) {
        // libuv has just set the same option on it: this cannot fail.
        _ = SystemDescriptor.set(descriptor, SO_REUSEADDR, 0)
    }

    /// Whether an Internet socket for datagrams lets others bind its address (`SO_REUSEADDR`).
    ///
    /// - Throws: `badDescriptor` and the like; `invalidArgument` for a socket of another family or type.
    static func reusesAddress(_ descriptor: Int32) throws(UVError) -> Bool {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) { storage in
            // Every address of the system's begins with the fields of a sockaddr.
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
