#if canImport(Glibc)
    package import Glibc
#elseif canImport(Musl)
    package import Musl
#elseif canImport(Darwin)
    package import Darwin
#endif

// Conversions to and from `sockaddr`, for the targets of this package that make system calls.
extension SocketAddress {
    /// Writes the address to memory as a `sockaddr_in` or `sockaddr_in6`.
    ///
    /// The memory must have the size of a `sockaddr_storage`.
    ///
    /// - Returns: the length of the structure, or `nil` if the system does not know the zone of the address.
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

    /// Reads a `sockaddr`, or returns `nil` if its family is neither IPv4 nor IPv6.
    ///
    /// The memory must be as long as the structure of the address's family.
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

    /// Returns the number of a zone's interface, given the interface's name (`if_nametoindex`) or number as text.
    private static func index(ofZone zone: String) -> UInt32? {
        let index = unsafe if_nametoindex(zone)
        return index == 0 ? UInt32(zone) : index
    }

    /// Returns the name of an interface (`if_indextoname`), or its number if it has no name.
    private static func zone(at index: UInt32) -> String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) { name in
            guard let start = name.baseAddress, unsafe if_indextoname(index, start) != nil else { return "\(index)" }
            return unsafe String(cString: start)
        }
    }
}

extension IPAddress {
    /// Parses an address (`inet_pton`), and returns its bits, or `nil` if the text is not an address of the family.
    static func bits<Bits: FixedWidthInteger>(_ text: String, _ family: Int32) -> Bits? {
        var bits: Bits = 0
        // A zero byte is rejected, because C would treat it as the end of the text.
        guard !text.utf8.contains(0), unsafe inet_pton(family, text, &bits) == 1 else { return nil }
        return Bits(bigEndian: bits)
    }
}
