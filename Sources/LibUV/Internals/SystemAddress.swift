internal import CLibUV
internal import SocketAddresses

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Socket addresses as the system has them, to and from this package's own.
enum SystemAddress {
    /// Calls `body` with an address in the system's form (`uv_ip4_addr`, `uv_ip6_addr`).
    ///
    /// - Throws: `invalidArgument` for an address that libuv cannot read, such as one with an unknown zone.
    static func with<Outcome>(
        _ address: SocketAddress, _ operation: String, _ body: (UnsafePointer<sockaddr>) -> Outcome
    ) throws(UVError) -> Outcome {
        var storage = sockaddr_storage()
        var status: Int32 = 0
        let outcome: Outcome? = unsafe withUnsafeMutablePointer(to: &storage) { storage in
            let raw = UnsafeMutableRawPointer(storage)
            // A sockaddr_storage has room for the address of every family, and begins as each of them.
            if address.family == .ipv4 {
                unsafe status = uv_ip4_addr(
                    address.host, Int32(address.port), raw.assumingMemoryBound(to: sockaddr_in.self))
            } else {
                let ipv6 = unsafe raw.assumingMemoryBound(to: sockaddr_in6.self)
                unsafe status = uv_ip6_addr(address.host, Int32(address.port), ipv6)
                if status == 0 { unsafe status = setZone(of: ipv6, address.ip) }
            }
            return status < 0 ? nil : unsafe body(raw.assumingMemoryBound(to: sockaddr.self))
        }
        guard let outcome else { throw UVError(code: status, operation: "\(operation) (\(address))") }
        return outcome
    }

    /// Sees to the zone where libuv has not found it: one that is a number, or is none.
    private static func setZone(of system: UnsafeMutablePointer<sockaddr_in6>, _ ip: IPAddress) -> Int32 {
        guard case .v6(_, let zone?) = ip, unsafe system.pointee.sin6_scope_id == 0 else { return 0 }
        guard let index = UInt32(zone) else { return UV_EINVAL.rawValue }
        unsafe system.pointee.sin6_scope_id = index
        return 0
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
            unsafe parse(UnsafeRawPointer(storage).assumingMemoryBound(to: sockaddr.self))
        }
    }

    /// The same where the memory is as long as its family needs (`uv_ip_name`, `uv_if_indextoname`).
    static func parse(_ system: UnsafePointer<sockaddr>) -> SocketAddress? {
        var name = [CChar](repeating: 0, count: 64)
        guard unsafe uv_ip_name(system, &name, name.count) == 0 else { return nil }
        let raw = unsafe UnsafeRawPointer(system)
        if Int32(unsafe system.pointee.sa_family) == AF_INET {
            let port = unsafe UInt16(bigEndian: raw.assumingMemoryBound(to: sockaddr_in.self).pointee.sin_port)
            return try? SocketAddress(parsing: SystemText.text(name), port: port)
        }
        let ipv6 = unsafe raw.assumingMemoryBound(to: sockaddr_in6.self)
        var host = SystemText.text(name)
        if let zone = unsafe zoneName(ipv6.pointee.sin6_scope_id) { host += "%\(zone)" }
        return unsafe try? SocketAddress(parsing: host, port: UInt16(bigEndian: ipv6.pointee.sin6_port))
    }

    private static func zoneName(_ index: UInt32) -> String? {
        guard index != 0 else { return nil }
        var name = [CChar](repeating: 0, count: Int(UV_IF_NAMESIZE))
        var size = name.count
        guard unsafe uv_if_indextoname(index, &name, &size) == 0 else { return "\(index)" }
        return SystemText.text(name)
    }
}

/// The descriptor of a handle (`uv_fileno`).
func fileDescriptor(of handle: UnsafeMutablePointer<uv_handle_t>) throws(UVError) -> Int32 {
    var descriptor: uv_os_fd_t = -1
    try unsafe check(uv_fileno(handle, &descriptor), "uv_fileno")
    return descriptor
}
