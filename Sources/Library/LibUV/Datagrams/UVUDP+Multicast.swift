internal import CLibUV
public import SocketAddresses

extension UVUDP {
    /// Begins to receive what is sent to a multicast group (`uv_udp_set_membership`, `uv_udp_set_source_membership`).
    ///
    /// A socket that is not bound is bound to a free port of every address, with `reuseAddress`.
    ///
    /// - Parameters:
    ///   - group: the group's address.
    ///   - interface: an address of the interface to listen on, for IPv6 any address whose zone names it, as `::%eth0`;
    ///     `nil` leaves the choice to the kernel.
    ///   - source: the one sender to hear; `nil` hears all.
    /// - Throws: `invalidArgument` for an address that is no group's or is of another family, `addressInUse` for a
    ///   group that the socket has joined already, `noSuchDevice` for an interface that is not there.
    public func join(
        _ group: IPAddress, on interface: IPAddress? = nil, from source: IPAddress? = nil
    ) throws(UVError) {
        try setMembership(UV_JOIN_GROUP, group, interface, source)
    }

    /// Ends what `join` with the same arguments began.
    ///
    /// - Throws: `addressNotAvailable` for a group that the socket has not joined.
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

    /// Whether what this socket sends to a group comes back to this machine's members (`uv_udp_set_multicast_loop`);
    /// it does at first.
    ///
    /// - Throws: `badDescriptor` on a socket that is not bound, `invalidArgument` on one that is closing.
    public func setMulticastLoop(_ isEnabled: Bool) throws(UVError) {
        try call("uv_udp_set_multicast_loop") { unsafe uv_udp_set_multicast_loop(udp, isEnabled ? 1 : 0) }
    }

    /// How many routers pass on what is sent to a group (`uv_udp_set_multicast_ttl`): 0 to 255, at first 1, which
    /// stays in the local network.
    ///
    /// - Throws: `invalidArgument` for another number.
    public func setMulticastTTL(_ hopCount: Int) throws(UVError) {
        try call("uv_udp_set_multicast_ttl") { unsafe uv_udp_set_multicast_ttl(udp, Int32(clamping: hopCount)) }
    }

    /// The interface that what is sent to a group leaves by (`uv_udp_set_multicast_interface`); for IPv6 any address
    /// whose zone names it, and `nil` leaves the choice to the kernel.
    ///
    /// - Throws: `badDescriptor` on a socket that is not bound, `invalidArgument` on one that is closing, `addressNotAvailable`
    ///   where no interface has the address, and the system's code for one of the other family.
    public func setMulticastInterface(_ interface: IPAddress?) throws(UVError) {
        try call("uv_udp_set_multicast_interface") {
            unsafe uv_udp_set_multicast_interface(udp, interface?.description)
        }
    }

    /// Whether the socket may send to broadcast addresses (`uv_udp_set_broadcast`); at first it may not.
    ///
    /// - Throws: `badDescriptor` on a socket that is not bound, `invalidArgument` on one that is closing.
    public func setBroadcast(_ isEnabled: Bool) throws(UVError) {
        try call("uv_udp_set_broadcast") { unsafe uv_udp_set_broadcast(udp, isEnabled ? 1 : 0) }
    }

    /// How many routers pass on what is sent to one receiver (`uv_udp_set_ttl`): 1 to 255.
    ///
    /// - Throws: `invalidArgument` for another number.
    public func setTTL(_ hopCount: Int) throws(UVError) {
        try call("uv_udp_set_ttl") { unsafe uv_udp_set_ttl(udp, Int32(clamping: hopCount)) }
    }

    /// The size of the kernel's send buffer, in bytes (`uv_send_buffer_size`); Linux doubles what is set.
    ///
    /// - Throws: `badDescriptor` on a socket that is not bound, `invalidArgument` on one that is closing.
    public var sendBufferSize: Int {
        get throws(UVError) { try unsafe kernelBufferSize(0, "uv_send_buffer_size", uv_send_buffer_size) }
    }

    /// The size of the kernel's receive buffer, in bytes (`uv_recv_buffer_size`); Linux doubles what is set.
    ///
    /// Datagrams that come while it is full are lost.
    ///
    /// - Throws: as `sendBufferSize`.
    public var receiveBufferSize: Int {
        get throws(UVError) { try unsafe kernelBufferSize(0, "uv_recv_buffer_size", uv_recv_buffer_size) }
    }

    /// Sets the size of the kernel's send buffer, in bytes (`uv_send_buffer_size`).
    ///
    /// - Throws: `invalidArgument` for a size that is not positive.
    public func setSendBufferSize(_ byteCount: Int) throws(UVError) {
        try unsafe setKernelBufferSize(byteCount, "uv_send_buffer_size") { unsafe uv_send_buffer_size($0, $1) }
    }

    /// Sets the size of the kernel's receive buffer, in bytes (`uv_recv_buffer_size`).
    ///
    /// - Throws: `invalidArgument` for a size that is not positive.
    public func setReceiveBufferSize(_ byteCount: Int) throws(UVError) {
        try unsafe setKernelBufferSize(byteCount, "uv_recv_buffer_size") { unsafe uv_recv_buffer_size($0, $1) }
    }
}
