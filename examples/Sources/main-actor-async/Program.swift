import LibUV

// The main actor runs an async `main`, so a loop must not block the main thread. The loop runs on its own thread, and
// the loop's tasks use the main actor as usual.
@MainActor final class Settings {
    static let shared = Settings()
    var count = 0
}

@main struct Program {
    static func main() async throws {
        // In an async `main`, the blocking `run` throws an error that says what to do instead.
        func block() throws { try UVLoop.run { _ in } }
        do { try block() } catch let error as UVError where error.code == .notSupported {
            print("refused: \(error.detail ?? "")")
        }
        let count = try await UVLoop.run(onThreadNamed: "network") { loop in
            for _ in 0..<1000 { await MainActor.run { Settings.shared.count += 1 } }
            try await loop.sleep(for: .milliseconds(1))
            return await Settings.shared.count
        }
        print("counted \(count)")
    }
}
