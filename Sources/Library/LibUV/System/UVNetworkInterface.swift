internal import CLibUV
public import SocketAddresses

/// An address of one of the machine's network interfaces (`uv_interface_address_t`).
public struct UVNetworkInterface: Hashable, Sendable {
    /// The interface's name, as in `eth0`; an interface with several addresses is listed with each.
    public let name: String

    /// Whether it is the machine's own, as its loopback.
    public let isInternal: Bool

    /// The interface's hardware address: six bytes, zeros where it has none.
    public let hardwareAddress: [UInt8]

    /// The address.
    public let address: IPAddress

    /// How many of the address' leading bits name its network.
    public let prefixLength: Int
}

extension UVSystem {
    /// The addresses of the interfaces that are up (`uv_interface_addresses`).
    ///
    /// - Throws: the system's code, where it does not tell.
    public static var networkInterfaces: [UVNetworkInterface] {
        get throws(UVError) {
            var list: UnsafeMutablePointer<uv_interface_address_t>?
            var count: Int32 = 0
            try unsafe check(uv_interface_addresses(&list, &count), "uv_interface_addresses")
            defer { unsafe uv_free_interface_addresses(list, count) }
            return unsafe UnsafeMutableBufferPointer(start: list, count: Int(count)).compactMap {
                unsafe UVNetworkInterface(system: $0)
            }
        }
    }
}

extension UVNetworkInterface {
    fileprivate init?(system: uv_interface_address_t) {
        var system = unsafe system
        let parsed = unsafe withUnsafePointer(to: &system.address) { address in
            // The union begins with the address of either family, which tells itself which it is.
            unsafe SocketAddress(UnsafeRawPointer(address).assumingMemoryBound(to: sockaddr.self))
        }
        guard let parsed else { return nil }
        self.init(
            name: unsafe String(cString: system.name), isInternal: unsafe system.is_internal != 0,
            hardwareAddress: unsafe withUnsafeBytes(of: &system.phys_addr) { unsafe [UInt8]($0) }, address: parsed.ip,
            prefixLength: parsed.family == .ipv4
                ? unsafe system.netmask.netmask4.sin_addr.s_addr.nonzeroBitCount
                : unsafe withUnsafeBytes(of: &system.netmask.netmask6.sin6_addr) { bytes in
                    unsafe bytes.reduce(0) { $0 + $1.nonzeroBitCount }
                })
    }
}
