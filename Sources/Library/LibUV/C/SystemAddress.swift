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
///
/// SystemCalls has a conversion of its own, since this product links libuv and SocketAddresses only.
enum SystemAddress {
    /// A family as libuv's flags of a new socket have it; none where there is to be no socket yet.
    static func flags(for family: SocketAddress.Family?) -> UInt32 {
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
    /// - Throws: `invalidArgument` for an address that libuv cannot read, such as one with an unknown zone.
    static func with<Outcome>(
        _ address: SocketAddress, _ operation: String, _ body: (UnsafePointer<sockaddr>) -> Outcome
    ) throws(UVError) -> Outcome {
        var storage = sockaddr_storage()
        var status: Int32 = 0
        let outcome: Outcome? = unsafe withUnsafeMutablePointer(to: &storage) { storage in
            // A sockaddr_storage has room for the address of every family, and begins as each of them.
            let raw = UnsafeMutableRawPointer(storage)
            unsafe status = write(address, to: raw)
            return status < 0 ? nil : unsafe body(raw.assumingMemoryBound(to: sockaddr.self))
        }
        guard let outcome else { throw UVError(code: status, operation: "\(operation) (\(address))") }
        return outcome
    }

    /// Writes an address in the system's form: without a text in between, except for a zone (`uv_ip6_addr`).
    private static func write(_ address: SocketAddress, to raw: UnsafeMutableRawPointer) -> Int32 {
        switch address.ip {
        case .v4(let bits):
            var system = sockaddr_in()
            #if canImport(Darwin)
                system.sin_len = UInt8(MemoryLayout<sockaddr_in>.size)
            #endif
            system.sin_family = sa_family_t(AF_INET)
            system.sin_port = address.port.bigEndian
            system.sin_addr.s_addr = bits.bigEndian
            unsafe raw.storeBytes(of: system, as: sockaddr_in.self)
            return 0
        case .v6(let bits, zone: nil):
            var system = sockaddr_in6()
            #if canImport(Darwin)
                system.sin6_len = UInt8(MemoryLayout<sockaddr_in6>.size)
            #endif
            system.sin6_family = sa_family_t(AF_INET6)
            system.sin6_port = address.port.bigEndian
            unsafe withUnsafeMutableBytes(of: &system.sin6_addr) {
                unsafe $0.storeBytes(of: bits.bigEndian, as: UInt128.self)
            }
            unsafe raw.storeBytes(of: system, as: sockaddr_in6.self)
            return 0
        case .v6:
            let system = unsafe raw.assumingMemoryBound(to: sockaddr_in6.self)
            let status = unsafe uv_ip6_addr(address.host, Int32(address.port), system)
            return status == 0 ? unsafe setZone(of: system, address.ip) : status
        }
    }

    /// Sees to the zone where libuv has not found it: one that is a number, or is none.
    private static func setZone(of system: UnsafeMutablePointer<sockaddr_in6>, _ ip: IPAddress) -> Int32 {
        guard case .v6(_, let zone?) = ip, unsafe system.pointee.sin6_scope_id == 0 else { return 0 }
        guard let index = UInt32(zone) else { return UV_EINVAL.rawValue }
        unsafe system.pointee.sin6_scope_id = index
        return 0
    }

    /// What libuv and the system call a family; that of no address where there is none.
    static func family(_ family: SocketAddress.Family?) -> UInt32 {
        switch family {
        case .ipv4: UInt32(AF_INET)
        case .ipv6: UInt32(AF_INET6)
        case nil: UInt32(AF_UNSPEC)
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
            unsafe parse(UnsafeRawPointer(storage).assumingMemoryBound(to: sockaddr.self))
        }
    }

    /// The same where the memory is as long as its family needs (`uv_if_indextoname` for a zone).
    static func parse(_ system: UnsafePointer<sockaddr>) -> SocketAddress? {
        let raw = unsafe UnsafeRawPointer(system)
        switch Int32(unsafe system.pointee.sa_family) {
        case AF_INET:
            let ipv4 = unsafe raw.load(as: sockaddr_in.self)
            return SocketAddress(
                .v4(UInt32(bigEndian: ipv4.sin_addr.s_addr)), port: UInt16(bigEndian: ipv4.sin_port))
        case AF_INET6:
            let ipv6 = unsafe raw.load(as: sockaddr_in6.self)
            let bits = unsafe withUnsafeBytes(of: ipv6.sin6_addr) { unsafe $0.loadUnaligned(as: UInt128.self) }
            return SocketAddress(
                .v6(UInt128(bigEndian: bits), zone: zoneName(ipv6.sin6_scope_id)),
                port: UInt16(bigEndian: ipv6.sin6_port))
        default: return nil
        }
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
