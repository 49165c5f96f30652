internal import CLibUV
public import SocketAddresses

extension UVUDP {
    /// How a socket is bound (`uv_udp_flags`).
    public struct BindOptions: OptionSet, Sendable {
        /// The options as bits of this type's own.
        public let rawValue: UInt8

        /// Makes options from their bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// An IPv6 socket refuses IPv4 datagrams (`UV_UDP_IPV6ONLY`).
        public static var ipv6Only: BindOptions { BindOptions(rawValue: 1) }

        /// Others that say so too may bind the same address, and the last of them gets what comes to it
        /// (`UV_UDP_REUSEADDR`); for a multicast group, all of them get it.
        public static var reuseAddress: BindOptions { BindOptions(rawValue: 2) }

        /// Others that say so too may bind the same address, and the kernel deals out what comes to it
        /// (`UV_UDP_REUSEPORT`; with libuv before 1.49, set on the descriptor).
        public static var sharePort: BindOptions { BindOptions(rawValue: 4) }

        /// Linux reports more of the errors that ICMP tells of (`UV_UDP_LINUX_RECVERR`); elsewhere no effect.
        public static var extendedErrors: BindOptions { BindOptions(rawValue: 8) }
    }

    /// Binds to an address (`uv_udp_bind`); port 0 picks a free one.
    ///
    /// - Throws: `addressInUse`, `addressNotAvailable`, `permissionDenied`; `invalidArgument` for `ipv6Only` with an
    ///   IPv4 address, for a second bind, and on a socket that is closing.
    public func bind(to address: SocketAddress, options: BindOptions = []) throws(UVError) {
        try checkOpen("uv_udp_bind")
        if options.contains(.sharePort), cuv_udp_share_port_flag() == 0 { try sharePort(for: address) }
        let flags = options.flags
        try unsafe call("uv_udp_bind", with: address) { system in unsafe uv_udp_bind(udp, system, flags) }
    }

    private func sharePort(for address: SocketAddress) throws(UVError) {
        if let descriptor = unsafe try? fileDescriptor(of: raw) {
            return try SystemDescriptor.sharePort(of: descriptor)
        }
        let descriptor = try SystemDescriptor.makeSharingSocket(for: address, cuv_datagram_type)
        try SystemDescriptor.closeOnFailure(descriptor) { (descriptor) throws(UVError) in
            try adopt(descriptor: descriptor)
        }
    }

    /// Takes over a socket for datagrams (`uv_udp_open`, `uv_udp_open_ex`), which this one closes in the end.
    ///
    /// - Parameters:
    ///   - descriptor: open, and of an Internet socket for datagrams.
    ///   - options: `reuseAddress` and `sharePort` are set on the socket; without them, what the socket has is left as
    ///     it is.
    /// - Throws: `busy` where there is a socket already; `alreadyExists` for a descriptor that the loop watches;
    ///   `badDescriptor`; `invalidArgument` for what is no Internet socket for datagrams, and for other options. The
    ///   descriptor then still belongs to the caller.
    public func adopt(descriptor: Int32, options: BindOptions = []) throws(UVError) {
        try checkOpen("uv_udp_open")
        if hasDescriptor { throw UVError(.busy, operation: "uv_udp_open") }
        guard options.isSubset(of: [.reuseAddress, .sharePort]) else {
            throw UVError(.invalidArgument, operation: "uv_udp_open")
        }
        let reusesAddress = try DatagramSocket.reusesAddress(descriptor)
        let status = unsafe cuv_udp_open_ex(udp, descriptor, options.flags)
        if status == UV_ENOSYS.rawValue {
            try open(descriptor, options, reusesAddress: reusesAddress)
        } else {
            try check(status, "uv_udp_open_ex")
        }
        unsafe state.pointee.isConnected = (try? remoteAddress) != nil
    }

    /// Takes a socket over with libuv before 1.52, which allows reuse of the address of each.
    private func open(_ descriptor: Int32, _ options: BindOptions, reusesAddress: Bool) throws(UVError) {
        if options.contains(.sharePort) { try SystemDescriptor.sharePort(of: descriptor) }
        try unsafe check(uv_udp_open(udp, descriptor), "uv_udp_open")
        if !reusesAddress, !options.contains(.reuseAddress) { DatagramSocket.forbidReuse(of: descriptor) }
    }

    /// Sends to one address from here on, and receives only from there (`uv_udp_connect`).
    ///
    /// - Throws: `alreadyConnected` on a connected socket; `networkUnreachable` and the like.
    public func connect(to address: SocketAddress) throws(UVError) {
        try unsafe call("uv_udp_connect", with: address) { system in unsafe uv_udp_connect(udp, system) }
        unsafe state.pointee.isConnected = true
    }

    /// Sends to any address again, and receives from every one (`uv_udp_connect` without an address).
    ///
    /// - Throws: `notConnected` on a socket that is not connected.
    public func disconnect() throws(UVError) {
        try call("uv_udp_connect") { unsafe uv_udp_connect(udp, nil) }
        unsafe state.pointee.isConnected = false
    }

    /// This side's address (`uv_udp_getsockname`).
    ///
    /// - Throws: `badDescriptor` where the socket is not bound.
    public var localAddress: SocketAddress {
        get throws(UVError) {
            try unsafe readAddress("uv_udp_getsockname") { unsafe uv_udp_getsockname(udp, $0, $1) }
        }
    }

    /// The address that the socket is connected to (`uv_udp_getpeername`).
    ///
    /// - Throws: `notConnected` on a socket that is not connected.
    public var remoteAddress: SocketAddress {
        get throws(UVError) {
            try unsafe readAddress("uv_udp_getpeername") { unsafe uv_udp_getpeername(udp, $0, $1) }
        }
    }
}

extension UVUDP.BindOptions {
    /// The options as libuv's flags.
    fileprivate var flags: UInt32 {
        var flags: UInt32 = contains(.sharePort) ? cuv_udp_share_port_flag() : 0
        if contains(.ipv6Only) { flags |= UInt32(UV_UDP_IPV6ONLY.rawValue) }
        if contains(.reuseAddress) { flags |= UInt32(UV_UDP_REUSEADDR.rawValue) }
        if contains(.extendedErrors) { flags |= UInt32(UV_UDP_LINUX_RECVERR.rawValue) }
        return flags
    }
}
