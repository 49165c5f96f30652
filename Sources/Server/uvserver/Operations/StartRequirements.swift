import Logging
import Servers
import SystemCalls
import Terminal

/// The descriptors and threads that a server needs, compared with the limits of the process.
struct StartRequirements {
    /// The number of connections that the administration may have open at the same time.
    let adminConnectionLimit: Int

    /// The limit on connections of clients; `nil` without `--admin`.
    ///
    /// The limit leaves enough descriptors for the administration.
    let connectionLimit: Int?

    /// Compares the needs of a server with the limits.
    ///
    /// Call this function before any part of the server exists.
    ///
    /// - Parameter hasTick: whether a blocking model needs a thread for periodic work.
    /// - Throws: `ProgramFailure`, which names the limit, its value and the need, if a limit is too low.
    init(_ model: ServerModel, threads: Int, loops: Int, hasAdmin: Bool, hasTick: Bool) throws {
        let loopCount = model.family == .loops ? loops : 1
        let own = StartRequirements.descriptorCount(model.family, loopCount)
        let limit = try DescriptorLimit.current().soft
        adminConnectionLimit = min(64, max(4, limit / 16))
        let admin = hasAdmin ? StartRequirements.adminDescriptorCount + adminConnectionLimit : 0
        let options = (loopCount > 1 ? ["\(loopCount) loops"] : []) + (hasAdmin ? ["--admin"] : [])
        let with = options.isEmpty ? "" : " with " + options.joined(separator: " and ")
        let free = limit - DescriptorLimit.openCount()
        // One descriptor is for a client, and one for accepting and closing a client beyond the limit.
        guard free >= own + admin + 2 else {
            throw ProgramFailure(
                message: """
                    the limit on open descriptors (RLIMIT_NOFILE) is \(limit), but model \(model.name)\(with) needs \
                    \(limit - free + own + admin + 2); raise the limit, for example with 'ulimit -n 1024'
                    """)
        }
        connectionLimit = hasAdmin ? free - own - admin - 1 : nil
        try StartRequirements.checkThreads(model, threads, loopCount, hasAdmin: hasAdmin, hasTick: hasTick)
    }

    /// Returns the smaller of `--max-connections` and `connectionLimit`, and logs if the option is the larger one.
    func limit(_ maxConnections: Int?, _ logger: Logger) -> Int? {
        guard let connectionLimit else { return maxConnections }
        if let maxConnections, maxConnections > connectionLimit {
            logger.warning(
                "the limit on open descriptors allows fewer connections than --max-connections",
                metadata: ["connections": "\(connectionLimit)", "max_connections": "\(maxConnections)"])
        }
        return min(maxConnections ?? .max, connectionLimit)
    }

    /// The number of descriptors that a server opens when it starts.
    ///
    /// For each loop of libuv, the number includes two descriptors that only later versions of libuv open.
    private static func descriptorCount(_ family: ServerModel.Family, _ loopCount: Int) -> Int {
        switch family {
        case .blocking: 3
        case .readiness: 6
        case .loop, .loops: 5 + 9 * loopCount
        }
    }

    /// The number of descriptors that the administration needs in addition to its connections: those of its loop and
    /// its listener, and two for reading the metrics of the process.
    private static let adminDescriptorCount = 13

    private static func checkThreads(
        _ model: ServerModel, _ threads: Int, _ loopCount: Int, hasAdmin: Bool, hasTick: Bool
    ) throws {
        var count = (hasAdmin ? 1 : 0) + loopCount - 1
        var option = loopCount > 1 ? "--loops" : hasAdmin ? "--admin" : "the model"
        if model.family == .blocking {
            count += hasTick ? 1 : 0
            if model.capacity == .poolThreads {
                count += threads
                option = "--threads"
            }
            if model.capacity == .unbounded { count += 1 }
        }
        let started = ThreadGroup.startableCount(upTo: count)
        guard started < count else { return }
        let limits = ResourceLimit.allCases.compactMap { limit in limit.value.map { "\(limit.name) is \($0)" } }
        throw ProgramFailure(
            message: """
                model \(model.name) needs \(count) thread\(count == 1 ? "" : "s") (\(option)), but the system can start only \(started) \
                (\(limits.isEmpty ? "pids.max of the container may limit them" : limits.joined(separator: ", "))); \
                raise the limit, or use fewer threads
                """)
    }
}
