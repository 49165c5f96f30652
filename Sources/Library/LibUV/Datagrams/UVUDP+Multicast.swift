internal import CLibUV
public import SocketAddresses

extension UVUDP {
    /// Starts to receive datagrams for a multicast group (`uv_udp_set_membership`, `uv_udp_set_source_membership`).
    ///
    /// If the socket is not bound, it is bound to a free port of the wildcard address, with `reuseAddress`.
    ///
    /// - Parameters:
    ///   - group: the address of the group.
    ///   - interface: an address of the interface to listen on. For IPv6, use any address whose zone is the interface,
    ///     for example `::%eth0`. With `nil`, the kernel chooses the interface.
    ///   - source: the only sender from which to receive, or `nil` for all senders.
    /// - Throws: `invalidArgument` if `group` is not the address of a group, or if the address has another family;
    ///   `addressInUse` if the socket has already joined the group; `noSuchDevice` if the interface does not exist.
    public func join(
        _ group: IPAddress, on interface: IPAddress? = nil, from source: IPAddress? = nil
    ) throws(UVError) {
        try setMembership(UV_JOIN_GROUP, group, interface, source)
    }

    /// Stops receiving datagrams for a multicast group.
    ///
    /// Pass the same arguments as to `join`.
    ///
    /// - Throws: `addressNotAvailable` if the socket has not joined the group.
    public func leave(
        _ group: IPAddress, on interface: IPAddress? = nil, from source: IPAddress? = nil
    ) throws(UVError) {
        try setMembership(UV_LEAVE_GROUP, group, interface, source)
    }

    private func setMembership(
        _ membership: uv_membership, _ group: IPAddress, _ interface: IPAddress?, _ source: IPAddress?
    ) throws(UVError) {
        let (group, interface) = (group.description, interface?.description)
        guard let source = source?.description else {
            return try call("uv_udp_set_membership") {
                unsafe uv_udp_set_membership(udp, group, interface, membership)
            }
        }
        try call("uv_udp_set_source_membership") {
            unsafe uv_udp_set_source_membership(udp, group, interface, source, membership)
        }
    }

    /// Sets whether members of a group on this machine receive the datagrams that this socket sends to the group
    /// (`uv_udp_set_multicast_loop`).
    ///
    /// By default, they do.
    ///
    /// - Throws: `badDescriptor` if the socket is not bound; `invalidArgument` if it is closing.
    public func setMulticastLoop(_ isEnabled: Bool) throws(UVError) {
        try call("uv_udp_set_multicast_loop") { unsafe uv_udp_set_multicast_loop(udp, isEnabled ? 1 : 0) }
    }

    /// Sets the time to live of datagrams to a group, from 0 to 255 hops (`uv_udp_set_multicast_ttl`).
    ///
    /// The default is 1, with which datagrams stay in the local network.
    ///
    /// - Throws: `invalidArgument` if the number is out of range.
    public func setMulticastTTL(_ hopCount: Int) throws(UVError) {
        try call("uv_udp_set_multicast_ttl") { unsafe uv_udp_set_multicast_ttl(udp, Int32(clamping: hopCount)) }
    }

    /// Sets the interface for sending datagrams to groups (`uv_udp_set_multicast_interface`).
    ///
    /// For IPv6, use any address whose zone is the interface. With `nil`, the kernel chooses the interface.
    ///
    /// - Throws: `badDescriptor` if the socket is not bound; `invalidArgument` if it is closing; `addressNotAvailable`
    ///   if no interface has the address; the system's error if the address has another family.
    public func setMulticastInterface(_ interface: IPAddress?) throws(UVError) {
        try call("uv_udp_set_multicast_interface") {
            unsafe uv_udp_set_multicast_interface(udp, interface?.description)
        }
    }

    /// Sets whether the socket may send to broadcast addresses (`uv_udp_set_broadcast`).
    ///
    /// By default, a socket must not send to broadcast addresses.
    ///
    /// - Throws: `badDescriptor` if the socket is not bound; `invalidArgument` if it is closing.
    public func setBroadcast(_ isEnabled: Bool) throws(UVError) {
        try call("uv_udp_set_broadcast") { unsafe uv_udp_set_broadcast(udp, isEnabled ? 1 : 0) }
    }

    /// Sets the time to live of unicast datagrams, from 1 to 255 hops (`uv_udp_set_ttl`).
    ///
    /// - Throws: `invalidArgument` if the number is out of range.
    public func setTTL(_ hopCount: Int) throws(UVError) {
        try call("uv_udp_set_ttl") { unsafe uv_udp_set_ttl(udp, Int32(clamping: hopCount)) }
    }

    /// The size of the kernel's send buffer in bytes (`uv_send_buffer_size`).
    ///
    /// Linux doubles the size that a program sets.
    ///
    /// - Throws: `badDescriptor` if the socket is not bound; `invalidArgument` if it is closing.
    public var sendBufferSize: Int {
        get throws(UVError) { try unsafe kernelBufferSize(0, "uv_send_buffer_size", uv_send_buffer_size) }
    }

    /// The size of the kernel's receive buffer in bytes (`uv_recv_buffer_size`).
    ///
    /// Linux doubles the size that a program sets.
    ///
    /// Datagrams that arrive while the buffer is full are lost.
    ///
    /// - Throws: the same errors as `sendBufferSize`.
    public var receiveBufferSize: Int {
        get throws(UVError) { try unsafe kernelBufferSize(0, "uv_recv_buffer_size", uv_recv_buffer_size) }
    }

    /// Sets the size of the kernel's send buffer, in bytes (`uv_send_buffer_size`).
    ///
    /// - Throws: `invalidArgument` if the size is not positive.
    public func setSendBufferSize(_ byteCount: Int) throws(UVError) {
        try unsafe setKernelBufferSize(byteCount, "uv_send_buffer_size") { unsafe uv_send_buffer_size($0, $1) }
    }

    /// Sets the size of the kernel's receive buffer, in bytes (`uv_recv_buffer_size`).
    ///
    /// - Throws: `invalidArgument` if the size is not positive.
    public func setReceiveBufferSize(_ byteCount: Int) throws(UVError) {
        try unsafe setKernelBufferSize(byteCount, "uv_recv_buffer_size") { unsafe uv_recv_buffer_size($0, $1) }
    }
}
