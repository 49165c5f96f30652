import LibUV

// In this target, everything belongs to the main actor unless it says otherwise (`defaultIsolation(MainActor.self)`).
// The loop on the main thread also serves the main actor.
final class Settings {
    private(set) var count = 0

    func add() { count += 1 }
}

@main struct Program {
    static func main() throws {
        let settings = Settings()
        Task { settings.add() }
        try UVLoop.run { loop in
            let text = try await loop.withTCPListener(on: .loopback(port: 0)) { connections in
                let client = try await loop.connect(to: connections.localAddress)
                guard let server = try await connections.next() else { return "" }
                await settings.add()
                try await client.write("hello")
                let count = try await server.read()?.count ?? 0
                await client.close()
                await server.close()
                return "\(count) bytes"
            }
            try await loop.sleep(for: .milliseconds(1))
            await settings.add()
            print("read \(text), counted \(await settings.count)")
        }
    }
}
