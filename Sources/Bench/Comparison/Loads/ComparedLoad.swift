internal import LoadGenerator
public import Measurements
internal import SocketAddresses

/// A load under which servers are compared.
public struct ComparedLoad: Hashable, Sendable {
    /// The rule by which the load alternates between the servers.
    public enum Shape: Hashable, Sendable {
        /// Requests of one open loop. Consecutive requests form groups, and each group has one request to every server
        /// in random order.
        case paired
        /// Slices of time in random order. In each slice, one server is loaded in a closed loop.
        case closed
        /// Slices of time in random order. In each slice, one server is loaded in a closed loop that opens a connection
        /// for each request.
        case connecting
    }

    /// The load's name on the command line.
    public let name: String
    /// A short description of the load.
    public let title: String
    /// The rule by which the load alternates between the servers.
    public let shape: Shape
    /// For each server, the number of connections that carry requests.
    public let connectionCount: Int
    /// For each server, the number of connections that send nothing.
    public var idleCount = 0
    /// For each server, the number of connections that send without a pause and read nothing.
    public var stalledCount = 0
    /// The size of a request's payload, in bytes.
    public private(set) var payloadCount = 16

    /// The kind of latency that is compared to reach a verdict under this load.
    public var clock: LatencyClock { shape == .connecting ? .response : .wire }

    /// The total number of connections to each server.
    var countForEachServer: Int { connectionCount + idleCount + stalledCount }

    /// One client that sends one request at a time.
    public static let one = ComparedLoad(
        name: "one", title: "one connection, messages of 16 bytes", shape: .paired, connectionCount: 1)
    /// Fifty clients, all of them busy.
    public static let many = ComparedLoad(
        name: "many", title: "50 busy connections, messages of 16 bytes", shape: .closed, connectionCount: 50)
    /// Five active clients, and a thousand idle ones.
    public static let idle = ComparedLoad(
        name: "idle", title: "5 active and 1000 idle connections", shape: .paired, connectionCount: 5, idleCount: 1000
    )
    /// Ten clients that send requests, and one that sends continuously and does not read.
    public static let stalled = ComparedLoad(
        name: "stalled", title: "10 connections, and one that sends and does not read", shape: .paired,
        connectionCount: 10, stalledCount: 1)
    /// A new connection for each request, at most four at the same time.
    public static let churn = ComparedLoad(
        name: "churn", title: "a new connection for each request, 4 at a time", shape: .connecting, connectionCount: 4)
    /// Large messages.
    public static let large = ComparedLoad(
        name: "large", title: "one connection, messages of 32 KiB", shape: .paired, connectionCount: 1,
        payloadCount: 32 << 10)

    /// All loads, in the order in which they are measured.
    public static let all = [one, many, idle, stalled, churn, large]

    /// The valid numbers of connections in a load name such as `1000x16`.
    public static let connectionCounts = 1...10_000

    /// The valid numbers of payload bytes in a load name such as `1000x16`.
    public static let payloadCounts = 1...(1 << 20)

    /// Returns the load with the given name; `nil` if no load has the name.
    ///
    /// The name may also state the numbers of connections and of payload bytes, for example `1000x16`. All connections
    /// of such a load are busy, like those of `many`.
    public static func named(_ name: String) -> ComparedLoad? {
        if let load = all.first(where: { $0.name == name }) { return load }
        let numbers = name.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let count = numbers[0], let byteCount = numbers[1],
            connectionCounts.contains(count), payloadCounts.contains(byteCount)
        else { return nil }
        let connections = count == 1 ? "one busy connection" : "\(count) busy connections"
        return ComparedLoad(
            name: "\(count)x\(byteCount)", title: "\(connections), messages of \(byteCount) bytes", shape: .closed,
            connectionCount: count, payloadCount: byteCount)
    }

    /// Returns the connections of the load.
    func connections(to targets: [SocketAddress], seed: UInt64) -> LoadConnections {
        var connections = LoadConnections(targets: targets, sizes: PayloadSizes(byteCount: payloadCount))
        connections.count = connectionCount
        connections.connectsForEachRequest = shape == .connecting
        connections.idleCount = idleCount
        connections.stalledCount = stalledCount
        connections.takesKernelTimestamps = true
        connections.timeout = .seconds(5)
        connections.seed = seed
        return connections
    }
}
