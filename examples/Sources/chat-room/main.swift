import LibUV

// A chat: chat-room [PORT]. A client's first line is its name; each further line goes to all the others.
let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 7000

/// Who is here. It runs on the loop's thread, and so do the tasks that call it: no call waits for another thread.
actor Room: UVActor {
    nonisolated let loop: UVLoop
    private var members: [String: UVConnection] = [:]
    /// How far a member may fall behind, in bytes.
    private let patience = 1 << 20

    init(on loop: UVLoop) { self.loop = loop }

    /// Lets somebody in, where nobody of that name is here.
    func enter(_ name: String, _ connection: UVConnection) -> Bool {
        guard !name.isEmpty, members[name] == nil else { return false }
        members[name] = connection
        tell("* \(name) is here, with \(members.count - 1) others", to: name)
        say("* \(name) comes in", by: name)
        return true
    }

    func leave(_ name: String) {
        members[name] = nil
        say("* \(name) goes", by: name)
    }

    /// Tells all but one.
    func say(_ line: String, by speaker: String) {
        for name in members.keys where name != speaker { tell(line, to: name) }
    }

    private func tell(_ line: String, to name: String) {
        // The actor is on the loop, and may write without waiting: nobody waits for a member who does not read.
        guard let stream = members[name]?.stream else { return }
        guard stream.writeQueueSize < patience else { return stream.close() }
        let text = Array("\(line)\n".utf8)
        var buffer = stream.makeBuffer(capacity: text.count)
        buffer.append(copying: text.span)
        try? stream.write(buffer)
    }
}

/// Takes lines from what a client sends.
struct Lines {
    private let connection: UVConnection
    private var pending: [UInt8] = []
    private let longest = 4096

    init(of connection: UVConnection) { self.connection = connection }

    /// The next line without its end; `nil` at the end, or after a line that is too long to be one.
    mutating func next() async throws -> String? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                defer { pending.removeFirst(end + 1) }
                return String(decoding: pending[..<end], as: UTF8.self)
            }
            guard pending.count < longest, let bytes = try await connection.read() else { return nil }
            bytes.withBytes { bytes in for index in bytes.indices { pending.append(bytes[index]) } }
        }
    }
}

try UVLoop.run { loop in
    let room = Room(on: loop)
    try await loop.withTCPListener(on: .loopback(port: port)) { connections in
        print("listening on \(connections.localAddress)")
        try await connections.serve { connection in
            var lines = Lines(of: connection)
            guard let name = try await lines.next() else { return }
            guard await room.enter(name, connection) else { return try await connection.write("* taken\n") }
            do {
                while let line = try await lines.next() { await room.say("\(name): \(line)", by: name) }
            } catch { print("\(name): \(error)") }
            await room.leave(name)
        }
    }
}
