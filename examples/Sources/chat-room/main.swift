import LibUV

// chat-room [PORT] runs a chat room. The first line from a client is the client's name. Each later line goes to all
// other members.
let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 7000

/// The members of the room.
///
/// The actor runs on the loop's thread, and so do the tasks that call it. No call waits for another thread.
actor Room: UVActor {
    nonisolated let loop: UVLoop
    private var members: [String: UVConnection] = [:]
    /// The number of queued bytes at which a member is disconnected.
    private let patience = 1 << 20

    init(on loop: UVLoop) { self.loop = loop }

    /// Adds a member, unless its name is empty or already taken.
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

    /// Sends a line to all members except the speaker.
    func say(_ line: String, by speaker: String) {
        for name in members.keys where name != speaker { tell(line, to: name) }
    }

    private func tell(_ line: String, to name: String) {
        // The actor is on the loop, so it can write without waiting. A member who does not read delays no other member.
        guard let stream = members[name]?.stream else { return }
        guard stream.writeQueueSize < patience else { return stream.close() }
        let text = Array("\(line)\n".utf8)
        var buffer = stream.makeBuffer(capacity: text.count)
        buffer.append(copying: text.span)
        try? stream.write(buffer)
    }
}

/// Splits the bytes from a client into lines.
struct Lines {
    private let connection: UVConnection
    private var pending: [UInt8] = []
    private let longest = 4096

    init(of connection: UVConnection) { self.connection = connection }

    /// Returns the next line without its line feed.
    ///
    /// - Returns: the line, or `nil` at the end of the stream or if the line is too long.
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
