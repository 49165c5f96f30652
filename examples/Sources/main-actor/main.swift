// The main thread runs a loop, which also serves the main actor: code of the main actor runs while the loop waits.
// Without a job for the main actor, the loop makes no additional system call.
import LibUV

@MainActor final class Settings {
    static let shared = Settings()
    var count = 0
}

// This task is made before the loop runs.
Task { @MainActor in Settings.shared.count += 1 }

try UVLoop.run { loop in
    for _ in 0..<1000 { await MainActor.run { Settings.shared.count += 1 } }
    let count = try await loop.withTimeout(.seconds(3)) { await Settings.shared.count }
    print("counted \(count)")

    // Code of the main actor can call the library like any other task.
    let text = try await Task { @MainActor in
        let (near, far) = try await loop.pair()
        try await near.write("hello")
        let text = try await far.read()?.withBytes { "\($0.count) bytes" } ?? "nothing"
        await near.close()
        await far.close()
        return text
    }.value
    print("read \(text)")

    // While a task of this loop runs an inner loop, the inner loop serves the main actor.
    let inner = try UVLoop.with { (inner) throws(UVError) in try inner.run(.noWait) }
    print("inner loop alive: \(inner)")

    // The main actor must not be blocked.
    let refusal = await MainActor.run { () -> String in
        do { try UVLoop().run(.noWait) } catch { return (error as? UVError)?.code == .notSupported ? "yes" : "no" }
        return "ran"
    }
    print("refused: \(refusal)")
}

// A loop on another thread does not serve the main actor.
let thread = try UVLoopThread(name: "other")
let counted = Settings.shared.count
try UVLoop.run { _ in
    let count = try await thread.run { _ in await MainActor.run { Settings.shared.count } }
    print("counted on another loop: \(count == counted)")
    try await thread.shutdown()
}

extension UVLoop {
    /// Makes a connection with both ends on this loop.
    nonisolated(nonsending) func pair() async throws -> (UVConnection, UVConnection) {
        try await withTCPListener(on: .loopback(port: 0)) { connections in
            let near = try await connect(to: connections.localAddress)
            guard let far = try await connections.next() else { throw CancellationError() }
            return (near, far)
        }
    }
}
