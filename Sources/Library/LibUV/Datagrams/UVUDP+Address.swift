internal import CLibUV
public import SocketAddresses

extension UVUDP {
    /// Options for binding a socket (`uv_udp_flags`).
    public struct BindOptions: OptionSet, Sendable {
        /// The bits of the set, which differ from libuv's flags.
        public let rawValue: UInt8

        /// Makes a set of options from bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// An IPv6 socket rejects IPv4 datagrams (`UV_UDP_IPV6ONLY`).
        public static var ipv6Only: BindOptions { BindOptions(rawValue: 1) }

        /// Other sockets with this option can bind the same address (`UV_UDP_REUSEADDR`).
        ///
        /// The socket that was bound last receives the datagrams. Datagrams for a multicast group reach all of the
        /// sockets.
        public static var reuseAddress: BindOptions { BindOptions(rawValue: 2) }

        /// Other sockets with this option can bind the same address, and the kernel distributes the datagrams among
        /// them (`UV_UDP_REUSEPORT`).
        ///
        /// With libuv before 1.49, the library sets the option on the descriptor.
        public static var sharePort: BindOptions { BindOptions(rawValue: 4) }

        /// Linux reports more of the errors that arrive as ICMP messages (`UV_UDP_LINUX_RECVERR`).
        ///
        /// The option needs libuv 1.52 at run time. Older versions set it on the socket but never read the errors that
        /// the kernel then queues. As a result, the loop would spin, and an error would be reported for an unrelated
        /// datagram.
        ///
        /// The option has no effect on other systems.
        public static var extendedErrors: BindOptions { BindOptions(rawValue: 8) }
    }

    /// Binds the socket to an address (`uv_udp_bind`); port 0 picks a free port.
    ///
    /// - Throws: `addressInUse`, `addressNotAvailable` or `permissionDenied`; `invalidArgument` if `ipv6Only` is used
    ///   with an IPv4 address, or if the socket is already bound or is closing; `notSupported` for `extendedErrors` if
    ///   libuv is older than 1.52.
    public func bind(to address: SocketAddress, options: BindOptions = []) throws(UVError) {
        try checkOpen("uv_udp_bind")
        if options.contains(.extendedErrors), UVVersion.running < UVVersion(encoded: 0x013400) {
            throw UVError(.notSupported, operation: "uv_udp_bind", detail: "extendedErrors needs libuv 1.52")
        }
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
            try adopt(descriptor, [])
        }
    }

    /// Makes a socket that takes ownership of the descriptor of a datagram socket (`uv_udp_open`, `uv_udp_open_ex`).
    ///
    /// Closing this object closes the socket.
    ///
    /// - Parameters:
    ///   - descriptor: the descriptor of an open UDP socket.
    ///   - options: the options to set on the socket; only `reuseAddress` and `sharePort` are allowed. Socket options
    ///     that are missing here stay unchanged.
    ///   - receivesBatches: see `init(on:family:receivesBatches:)`.
    /// - Throws: `alreadyExists` if the loop already watches the descriptor; `badDescriptor` if the descriptor is not
    ///   open; `invalidArgument` if the descriptor is not a UDP socket, if `options` contains other options, or if the
    ///   descriptor is one of the standard descriptors 0, 1 and 2. libuv cannot close these descriptors; adopt a
    ///   duplicate instead. If the call throws, the caller still owns the descriptor.
    public convenience init(
        on loop: UVLoop, adopting descriptor: Int32, options: BindOptions = [], receivesBatches: Bool = false,
        file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        try self.init(on: loop, receivesBatches: receivesBatches, file: file, line: line)
        do throws(UVError) { try adopt(descriptor, options) } catch {
            close()
            throw error
        }
    }

    private func adopt(_ descriptor: Int32, _ options: BindOptions) throws(UVError) {
        // libuv aborts the process when it closes a datagram socket with one of these descriptors.
        if 0...2 ~= descriptor {
            throw UVError(.invalidArgument, operation: "uv_udp_open", detail: "descriptor \(descriptor)")
        }
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

    /// Adopts a socket with libuv before 1.52, which sets `SO_REUSEADDR` on every socket that it adopts.
    private func open(_ descriptor: Int32, _ options: BindOptions, reusesAddress: Bool) throws(UVError) {
        if options.contains(.sharePort) { try SystemDescriptor.sharePort(of: descriptor) }
        try unsafe check(uv_udp_open(udp, descriptor), "uv_udp_open")
        if !reusesAddress, !options.contains(.reuseAddress) { DatagramSocket.forbidReuse(of: descriptor) }
    }

    /// Connects the socket to an address, so that it sends only to that address and receives only from it
    /// (`uv_udp_connect`).
    ///
    /// - Throws: `alreadyConnected` if the socket is already connected; otherwise the system's error.
    public func connect(to address: SocketAddress) throws(UVError) {
        try unsafe call("uv_udp_connect", with: address) { system in unsafe uv_udp_connect(udp, system) }
        unsafe state.pointee.isConnected = true
    }

    /// Removes the connection, so that the socket can again send to any address and receive from any address
    /// (`uv_udp_connect` without an address).
    ///
    /// - Throws: `notConnected` if the socket is not connected.
    public func disconnect() throws(UVError) {
        try call("uv_udp_connect") { unsafe uv_udp_connect(udp, nil) }
        unsafe state.pointee.isConnected = false
    }

    /// The local address (`uv_udp_getsockname`).
    ///
    /// - Throws: `badDescriptor` if the socket is not bound.
    public var localAddress: SocketAddress {
        get throws(UVError) {
            try unsafe readAddress("uv_udp_getsockname") { unsafe uv_udp_getsockname(udp, $0, $1) }
        }
    }

    /// The address that the socket is connected to (`uv_udp_getpeername`).
    ///
    /// - Throws: `notConnected` if the socket is not connected.
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
