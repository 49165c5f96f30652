internal import Glibc
internal import SocketAddresses

/// Converts addresses to and from `sockaddr`.
///
/// LibUV has a conversion of its own, since the LibUV product links libuv and no other target but SocketAddresses.
enum SystemAddress {
    /// Calls `body` with an address as a `sockaddr` and its length.
    static func with<Outcome>(
        _ address: SocketAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemCallError) -> Outcome
    ) throws(SystemCallError) -> Outcome {
        switch address.ip {
        case .v4(let bits):
            var form = sockaddr_in()
            form.sin_family = sa_family_t(AF_INET)
            form.sin_port = address.port.bigEndian
            form.sin_addr.s_addr = bits.bigEndian
            return try unsafe pass(&form, body)
        case .v6(let bits, let zone):
            var form = sockaddr_in6()
            form.sin6_family = sa_family_t(AF_INET6)
            form.sin6_port = address.port.bigEndian
            form.sin6_scope_id = try index(ofZone: zone)
            unsafe withUnsafeMutableBytes(of: &form.sin6_addr) { bytes in
                for index in 0..<16 {
                    unsafe bytes[index] = UInt8(truncatingIfNeeded: bits >> (120 - 8 * index))
                }
            }
            return try unsafe pass(&form, body)
        }
    }

    private static func pass<Form, Outcome>(
        _ form: inout Form, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemCallError) -> Outcome
    ) throws(SystemCallError) -> Outcome {
        // Every address structure begins with the fields of a sockaddr.
        try unsafe withUnsafePointer(to: &form) { pointer throws(SystemCallError) in
            try unsafe body(
                UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), socklen_t(MemoryLayout<Form>.size))
        }
    }

    /// The address that `call` writes as a `sockaddr`, or `nil` if it is neither IPv4 nor IPv6.
    static func read(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) throws(SystemCallError) -> Void
    ) throws(SystemCallError) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        try unsafe withUnsafeMutablePointer(to: &storage) { pointer throws(SystemCallError) in
            try unsafe call(UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), &length)
        }
        return address(from: &storage)
    }

    /// The local address of a socket (`getsockname`).
    static func local(of number: Int32) throws(SystemCallError) -> SocketAddress {
        let address = try unsafe read { form, length throws(SystemCallError) in
            _ = try system("getsockname") { unsafe getsockname(number, form, length) }
        }
        guard let address else { throw SystemCallError(code: EAFNOSUPPORT, call: "getsockname") }
        return address
    }

    private static func address(from storage: inout sockaddr_storage) -> SocketAddress? {
        unsafe withUnsafeBytes(of: &storage) { bytes in
            switch Int32(unsafe bytes.load(as: sa_family_t.self)) {
            case AF_INET:
                let form = unsafe bytes.load(as: sockaddr_in.self)
                return SocketAddress(
                    .v4(UInt32(bigEndian: form.sin_addr.s_addr)), port: UInt16(bigEndian: form.sin_port))
            case AF_INET6:
                var form = unsafe bytes.load(as: sockaddr_in6.self)
                let bits = unsafe withUnsafeBytes(of: &form.sin6_addr) { address in
                    unsafe address.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
                }
                return SocketAddress(
                    .v6(bits, zone: name(ofZone: form.sin6_scope_id)), port: UInt16(bigEndian: form.sin6_port))
            default: return nil
            }
        }
    }

    private static func index(ofZone zone: String?) throws(SystemCallError) -> UInt32 {
        guard let zone else { return 0 }
        if let index = UInt32(zone) { return index }
        let index = unsafe if_nametoindex(zone)
        guard index != 0 else { throw SystemCallError(code: errno, call: "if_nametoindex") }
        return index
    }

    private static func name(ofZone index: UInt32) -> String? {
        guard index != 0 else { return nil }
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) { buffer in
            guard let base = buffer.baseAddress, unsafe if_indextoname(index, base) != nil else { return "\(index)" }
            return unsafe String(cString: base)
        }
    }
}
