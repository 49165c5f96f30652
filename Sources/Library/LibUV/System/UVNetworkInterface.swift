internal import CLibUV
public import SocketAddresses

/// An address of one of the machine's network interfaces (`uv_interface_address_t`).
public struct UVNetworkInterface: Hashable, Sendable {
    /// The name of the interface, for example `eth0`.
    ///
    /// An interface with several addresses is listed once for each address.
    public let name: String

    /// Whether the interface is internal to the machine, for example the loopback interface.
    public let isInternal: Bool

    /// The six bytes of the interface's hardware address.
    ///
    /// All bytes are zero if the interface has no hardware address.
    public let hardwareAddress: [UInt8]

    /// The IP address.
    public let address: IPAddress

    /// The number of leading bits of the address that identify the network.
    public let prefixLength: Int
}

extension UVSystem {
    /// The addresses of all active network interfaces (`uv_interface_addresses`).
    ///
    /// - Throws: a system error if the value is not available.
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
            // Both members of the union begin with the address family, so the family can be read through a `sockaddr`.
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
