#if canImport(Glibc)
    package import Glibc
#elseif canImport(Musl)
    package import Musl
#elseif canImport(Darwin)
    package import Darwin
#endif

// The system's form of an address, for the targets of this package that call the system.
extension SocketAddress {
    /// Writes the address as a `sockaddr_in` or `sockaddr_in6` to memory of the size of a `sockaddr_storage`.
    ///
    /// - Returns: the length of the structure, or `nil` if the address has a zone that the system does not know.
    package func write(to memory: UnsafeMutableRawPointer) -> socklen_t? {
        switch ip {
        case .v4(let bits):
            var form = sockaddr_in()
            #if canImport(Darwin)
                form.sin_len = UInt8(MemoryLayout<sockaddr_in>.size)
            #endif
            form.sin_family = sa_family_t(AF_INET)
            form.sin_port = port.bigEndian
            form.sin_addr.s_addr = bits.bigEndian
            unsafe memory.storeBytes(of: form, as: sockaddr_in.self)
            return socklen_t(MemoryLayout<sockaddr_in>.size)
        case .v6(let bits, let zone):
            guard let scope = zone.map(SocketAddress.index(ofZone:)) ?? 0 else { return nil }
            var form = sockaddr_in6()
            #if canImport(Darwin)
                form.sin6_len = UInt8(MemoryLayout<sockaddr_in6>.size)
            #endif
            form.sin6_family = sa_family_t(AF_INET6)
            form.sin6_port = port.bigEndian
            form.sin6_scope_id = scope
            unsafe withUnsafeMutableBytes(of: &form.sin6_addr) {
                unsafe $0.storeBytes(of: bits.bigEndian, as: UInt128.self)
            }
            unsafe memory.storeBytes(of: form, as: sockaddr_in6.self)
            return socklen_t(MemoryLayout<sockaddr_in6>.size)
        }
    }

    /// Reads a `sockaddr` whose memory is as long as its family needs; `nil` if it is neither IPv4 nor IPv6.
    package init?(_ form: UnsafePointer<sockaddr>) {
        let memory = unsafe UnsafeRawPointer(form)
        switch Int32(unsafe form.pointee.sa_family) {
        case AF_INET:
            let form = unsafe memory.load(as: sockaddr_in.self)
            self.init(.v4(UInt32(bigEndian: form.sin_addr.s_addr)), port: UInt16(bigEndian: form.sin_port))
        case AF_INET6:
            let form = unsafe memory.load(as: sockaddr_in6.self)
            let bits = unsafe withUnsafeBytes(of: form.sin6_addr) { unsafe $0.loadUnaligned(as: UInt128.self) }
            let zone = form.sin6_scope_id == 0 ? nil : SocketAddress.zone(at: form.sin6_scope_id)
            self.init(.v6(UInt128(bigEndian: bits), zone: zone), port: UInt16(bigEndian: form.sin6_port))
        default: return nil
        }
    }

    /// The number of the interface that a zone names (`if_nametoindex`), or that it is.
    private static func index(ofZone zone: String) -> UInt32? {
        let index = unsafe if_nametoindex(zone)
        return index == 0 ? UInt32(zone) : index
    }

    /// The name of an interface (`if_indextoname`), or its number if it has no name.
    private static func zone(at index: UInt32) -> String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) { name in
            guard let start = name.baseAddress, unsafe if_indextoname(index, start) != nil else { return "\(index)" }
            return unsafe String(cString: start)
        }
    }
}
