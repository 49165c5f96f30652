import LibUV
import SystemCalls
import Testing

/// Tests of binding datagram sockets, of adopting descriptors, and of socket options.
@Suite(.timeLimit(.minutes(1))) struct DatagramOptionTests {
    @Test func anAddressInUseIsReportedByBind() throws {
        try withLoop { loop in
            let (first, second) = (try UVUDP(on: loop), try UVUDP(on: loop))
            try first.bind(to: .loopback(port: 0))
            let address = try first.localAddress
            #expect(throws: UVError(.addressInUse, operation: "uv_udp_bind")) { try second.bind(to: address) }
            #expect(throws: UVError(.invalidArgument, operation: "uv_udp_bind")) {
                try first.bind(to: .loopback(port: 0))
            }
            let third = try UVUDP(on: loop)
            #expect(throws: UVError(.badDescriptor, operation: "uv_udp_getsockname")) { try third.localAddress }
            #expect(throws: UVError(.addressNotAvailable, operation: "uv_udp_bind")) {
                try third.bind(to: try SocketAddress(parsing: "192.0.2.1:0"))
            }
        }
    }

    /// With `reuseAddress`, the socket that was bound last receives all datagrams.
    ///
    /// With `sharePort`, the kernel distributes the senders over the sockets.
    @Test(arguments: [UVUDP.BindOptions.reuseAddress, .sharePort]) func severalSocketsBindOneAddress(
        _ options: UVUDP.BindOptions
    ) throws {
        try withLoop { loop in
            let received = [Datagrams(), Datagrams()]
            var address = SocketAddress.loopback(port: 0)
            for datagrams in received {
                let socket = try UVUDP(on: loop)
                try socket.bind(to: address, options: options)
                address = try socket.localAddress
                try socket.startReceiving { _, event in datagrams.note(event) }
            }
            // A socket without the option cannot bind the address.
            let other = try UVUDP(on: loop)
            #expect(throws: UVError(.addressInUse, operation: "uv_udp_bind")) { try other.bind(to: address) }
            let opposite: UVUDP.BindOptions = options == .sharePort ? .reuseAddress : .sharePort
            let third = try UVUDP(on: loop)
            #expect(throws: UVError(.addressInUse, operation: "uv_udp_bind")) {
                try third.bind(to: address, options: opposite)
            }
            for _ in 0..<64 { #expect(try UVUDP(on: loop).offer([1], to: address)) }
            try loop.runUntil { received.map(\.byteCounts.count).reduce(0, +) == 64 }
            if options == .reuseAddress { #expect(received.map(\.byteCounts.count) == [0, 64]) }
            // The kernel picks one of two sockets by the sender's port. The probability that all 64 senders get the
            // same socket is 1 in 2^63.
            if options == .sharePort { #expect(received.allSatisfy { $0.byteCounts.count > 0 }) }
        }
    }

    @Test func aSocketOfAFamilyHasADescriptorAtOnceAndMaySharePorts() throws {
        try withLoop { loop in
            let (first, second) = (try UVUDP(on: loop, family: .ipv4), try UVUDP(on: loop, family: .ipv4))
            #expect(try first.withUnsafeDescriptor { $0 } >= 0)
            #expect(throws: UVError(.badDescriptor, operation: "uv_fileno")) {
                try UVUDP(on: loop).withUnsafeDescriptor { $0 }
            }
            try first.bind(to: .loopback(port: 0), options: .sharePort)
            try second.bind(to: try first.localAddress, options: .sharePort)
            #expect(throws: UVError(.invalidArgument, operation: "uv_udp_bind")) {
                try UVUDP(on: loop, family: .ipv4).bind(to: try SocketAddress(parsing: "[::1]:0"))
            }
        }
    }

    @Test func anIPv6SocketRefusesIPv4OnDemand() throws {
        try withLoop { loop in
            let datagrams = Datagrams()
            let any = try SocketAddress(parsing: "[::]:0")
            let (both, only) = (try UVUDP(on: loop), try UVUDP(on: loop))
            try both.bind(to: any)
            try both.startReceiving { _, event in datagrams.note(event) }
            try only.bind(to: any, options: .ipv6Only)
            let sender = try UVUDP(on: loop)
            #expect(try sender.offer([1], to: .loopback(port: try both.localAddress.port)))
            try loop.runUntil { datagrams.received.count == 1 }
            // The address of an IPv4 sender appears as an IPv4-mapped IPv6 address.
            #expect(datagrams.received.first?.sender.host == "::ffff:127.0.0.1")
            // The port of the IPv6-only socket is still free for IPv4.
            let ipv4 = try UVUDP(on: loop)
            try ipv4.bind(to: .any(port: try only.localAddress.port))
            #expect(throws: UVError(.invalidArgument, operation: "uv_udp_bind")) {
                try UVUDP(on: loop).bind(to: .any(port: 0), options: .ipv6Only)
            }
        }
    }

    /// Tests behaviour 56 and pitfall 28 of docs/behaviours.md.
    @Test func aDescriptorIsTakenOverOnceAndClosedByTheSocket() throws {
        try withLoop { loop in
            let datagrams = Datagrams()
            let descriptor = try makeDatagramDescriptor()
            let socket = try UVUDP(on: loop, adopting: descriptor)
            try socket.bind(to: .loopback(port: 0))
            try socket.startReceiving { _, event in datagrams.note(event) }
            let second = try makeDatagramDescriptor()
            #expect(throws: UVError.self) { try UVUDP(on: loop, adopting: descriptor) }
            #expect(throws: UVError(.invalidArgument, operation: "uv_udp_open")) {
                try UVUDP(on: loop, adopting: second, options: .ipv6Only)
            }
            // A socket that could not be made left the descriptor to the caller.
            let other = try UVUDP(on: loop, adopting: second, options: [.reuseAddress, .sharePort])
            #expect(try other.offer([1], to: try socket.localAddress))
            try loop.runUntil { datagrams.received.count == 1 }
            // The socket has only the options that were requested.
            #expect(try !reusesAddress(descriptor))
            #expect(try !sharesPort(descriptor))
            #expect(try reusesAddress(second) && sharesPort(second))
            let adopted = try #require(identity(of: descriptor))
            socket.close()
            try loop.run(.noWait)
            // The descriptor is closed. Another test may already have reused its number.
            #expect(identity(of: descriptor) != adopted)
        }
    }

    @Test func whatIsNoInternetSocketForDatagramsIsRefused() throws {
        try withLoop { loop in
            let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 1, isNonBlocking: true)
            #expect(throws: UVError(.invalidArgument, operation: "uv_udp_open")) {
                try UVUDP(on: loop, adopting: listener.rawValue)
            }
            let local = try LocalPair()
            #expect(throws: UVError(.invalidArgument, operation: "uv_udp_open")) {
                try UVUDP(on: loop, adopting: local.first)
            }
            #expect(throws: UVError(.badDescriptor, operation: "getsockname")) { try UVUDP(on: loop, adopting: -1) }
            #expect(isOpen(listener.rawValue) && isOpen(local.first))
        }
    }

    /// Tests behaviour 56 of docs/behaviours.md.
    @Test func optionsReachTheSocket() throws {
        try withLoop { loop in
            let socket = try UVUDP(on: loop)
            #expect(throws: UVError(.badDescriptor, operation: "uv_udp_set_broadcast")) {
                try socket.setBroadcast(true)
            }
            try socket.bind(to: .any(port: 0))
            #expect(try socket.withUnsafeDescriptor { try? multicastOptions($0) } == [64, 1, 1, 0])
            try socket.setTTL(7)
            try socket.setMulticastTTL(8)
            try socket.setMulticastLoop(false)
            try socket.setBroadcast(true)
            try socket.setMulticastInterface(nil)
            #expect(try socket.withUnsafeDescriptor { try? multicastOptions($0) } == [7, 8, 0, 1])
            try socket.setSendBufferSize(20_000)
            #expect(try socket.sendBufferSize == 40_000)
            try socket.setReceiveBufferSize(30_000)
            #expect(try socket.receiveBufferSize == 60_000)
        }
    }

    /// Tests behaviour 56 of docs/behaviours.md.
    ///
    /// Promise of the article "Errors".
    @Test func optionsAreTakenWithinTheirBounds() throws {
        try withLoop { loop in
            let socket = try UVUDP(on: loop)
            try socket.bind(to: .any(port: 0))
            for hopCount in [1, 255] { try socket.setTTL(hopCount) }
            for hopCount in [-1, 0, 256, Int.max] {
                #expect(throws: UVError(.invalidArgument, operation: "uv_udp_set_ttl")) { try socket.setTTL(hopCount) }
            }
            for hopCount in [0, 1, 255] { try socket.setMulticastTTL(hopCount) }
            for hopCount in [-1, 256, Int.min] {
                #expect(throws: UVError(.invalidArgument, operation: "uv_udp_set_multicast_ttl")) {
                    try socket.setMulticastTTL(hopCount)
                }
            }
            #expect(throws: UVError(.invalidArgument, operation: "uv_recv_buffer_size")) {
                try socket.setReceiveBufferSize(0)
            }
        }
    }

    @Test func aBroadcastNeedsThePermission() throws {
        try withLoop { loop in
            let socket = try UVUDP(on: loop)
            try socket.bind(to: .loopback(port: 0))
            let broadcast = try SocketAddress(parsing: "127.255.255.255:9")
            #expect(throws: UVError(.permissionDenied, operation: "uv_udp_try_send")) {
                try socket.offer([1], to: broadcast)
            }
            try socket.setBroadcast(true)
            #expect(try socket.offer([1], to: broadcast))
        }
    }
}

/// Tests of multicast over the loopback interface.
@Suite(.timeLimit(.minutes(1))) struct MulticastTests {
    private static func group() throws -> IPAddress { try IPAddress(parsing: "239.255.13.7") }
    private static func loopback() throws -> IPAddress { try IPAddress(parsing: "127.0.0.1") }

    /// Creates a receiver that is bound to all addresses, and a sender that uses the loopback interface.
    private static func sockets(on loop: UVLoop, _ datagrams: Datagrams) throws -> (receiver: UVUDP, sender: UVUDP) {
        let receiver = try UVUDP(on: loop)
        try receiver.bind(to: .any(port: 0))
        try receiver.startReceiving { _, event in datagrams.note(event) }
        let sender = try UVUDP(on: loop)
        try sender.bind(to: .loopback(port: 0))
        try sender.setMulticastInterface(try loopback())
        try sender.setMulticastTTL(0)
        return (receiver, sender)
    }

    @Test func aGroupIsHeardFromJoinToLeave() throws {
        try withLoop { loop in
            let datagrams = Datagrams()
            let (receiver, sender) = try Self.sockets(on: loop, datagrams)
            let (group, loopback) = (try Self.group(), try Self.loopback())
            let address = SocketAddress(group, port: try receiver.localAddress.port)
            let direct = SocketAddress(loopback, port: address.port)
            try receiver.join(group, on: loopback)
            #expect(throws: UVError(.addressInUse, operation: "uv_udp_set_membership")) {
                try receiver.join(group, on: loopback)
            }
            #expect(try sender.offer("heard", to: address))
            try loop.runUntil { datagrams.received.count == 1 }
            try receiver.leave(group, on: loopback)
            #expect(throws: UVError(.addressNotAvailable, operation: "uv_udp_set_membership")) {
                try receiver.leave(group, on: loopback)
            }
            #expect(try sender.offer("left", to: address))
            #expect(try sender.offer("end", to: direct))
            try loop.runUntil { datagrams.texts.contains("end") }
            #expect(datagrams.texts == ["heard", "end"])
        }
    }

    @Test func aGroupIsHeardFromItsSourceOnly() throws {
        try withLoop { loop in
            let datagrams = Datagrams()
            let (receiver, sender) = try Self.sockets(on: loop, datagrams)
            let (group, loopback) = (try Self.group(), try Self.loopback())
            let address = SocketAddress(group, port: try receiver.localAddress.port)
            let stranger = try IPAddress(parsing: "127.0.0.2")
            try receiver.join(group, on: loopback, from: stranger)
            #expect(try sender.offer("stranger", to: address))
            try receiver.join(group, on: loopback, from: loopback)
            #expect(try sender.offer("source", to: address))
            try loop.runUntil { datagrams.received.count == 1 }
            #expect(datagrams.texts == ["source"])
            try receiver.leave(group, on: loopback, from: loopback)
            try receiver.leave(group, on: loopback, from: stranger)
            #expect(throws: UVError.self) { try receiver.leave(group, on: loopback, from: stranger) }
        }
    }

    /// A socket joins an IPv6 group on the interface that a zone names.
    ///
    /// The loopback interface has no route for IPv6 groups, so the socket receives no datagram of the group.
    @Test func aGroupOfIPv6IsJoinedOnTheInterfaceThatAZoneNames() throws {
        try withLoop { loop in
            let socket = try UVUDP(on: loop)
            try socket.bind(to: try SocketAddress(parsing: "[::]:0"))
            let (group, lo) = (try IPAddress(parsing: "ff01::1:7"), try IPAddress(parsing: "::%lo"))
            try socket.join(group, on: lo)
            #expect(throws: UVError(.addressInUse, operation: "uv_udp_set_membership")) {
                try socket.join(group, on: lo)
            }
            try socket.leave(group, on: lo)
            #expect(throws: UVError(.addressNotAvailable, operation: "uv_udp_set_membership")) {
                try socket.leave(group, on: lo)
            }
            try socket.setMulticastInterface(lo)
            try socket.setMulticastTTL(3)
        }
    }

    @Test func whatIsNoGroupIsRefused() throws {
        try withLoop { loop in
            let socket = try UVUDP(on: loop)
            try socket.bind(to: .any(port: 0))
            let (group, loopback) = (try Self.group(), try Self.loopback())
            #expect(throws: UVError(.invalidArgument, operation: "uv_udp_set_membership")) { try socket.join(loopback) }
            #expect(throws: UVError(.invalidArgument, operation: "uv_udp_set_source_membership")) {
                try socket.join(group, from: try IPAddress(parsing: "::1"))
            }
            #expect(throws: UVError.self) { try socket.join(group, on: try IPAddress(parsing: "192.0.2.1")) }
            #expect(throws: UVError.self) { try socket.setMulticastInterface(try IPAddress(parsing: "192.0.2.1")) }
        }
    }
}
