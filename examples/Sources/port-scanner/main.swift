import LibUV

// port-scanner FIRST LAST [AT-A-TIME] tries to connect to the ports of this machine from FIRST to LAST, up to AT-A-TIME
// ports at a time.
let numbers = CommandLine.arguments.dropFirst().compactMap { UInt16($0) }
guard numbers.count >= 2, numbers[0] <= numbers[1] else { fatalError("usage: port-scanner FIRST LAST [AT-A-TIME]") }
let ports = numbers[0]...numbers[1]
let limit = numbers.count > 2 ? max(1, Int(numbers[2])) : 64
let patience = Duration.milliseconds(500)

enum Answer { case open, refused, silent, failed(UVError) }

/// Connects to a port, and closes the connection at once.
func answer(of port: UInt16, on loop: UVLoop) async -> Answer {
    do {
        try await loop.withTCPConnection(to: .loopback(port: port), connectingWithin: patience) { _ in }
        return .open
    } catch let error as UVError {
        if error.code == .connectionRefused { return .refused }
        return error.code == .timedOut ? .silent : .failed(error)
    } catch { return .silent }
}

try UVLoop.run { loop in
    var refusedCount = 0
    await withTaskGroup(of: (UInt16, Answer).self) { group in
        var remaining = ports.makeIterator()
        var running = 0
        repeat {
            // Starts attempts until the limit is reached. Whenever an attempt finishes, a new attempt starts.
            while running < limit, let port = remaining.next() {
                group.addTask(executorPreference: loop) { (port, await answer(of: port, on: loop)) }
                running += 1
            }
            guard let (port, answer) = await group.next() else { break }
            running -= 1
            if case .refused = answer { refusedCount += 1 } else { print("\(port): \(answer)") }
        } while true
    }
    print("\(ports.count) ports tried, at most \(limit) at a time; \(refusedCount) refused")
}
