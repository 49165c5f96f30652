import LibUV

// Repeats one operation, so that the difference of two runs is its cost.
//   hops yields COUNT          a task on the loop yields
//   hops messages COUNT        bytes go from one end of a connection to the other and back, on one loop
//   hops actors COUNT          the same, and the read callback of each message calls two actors on the loop
//   hops reads COUNT           the same as messages, and a task in an actor reads and writes them

/// An actor on the loop that counts.
actor Tally: UVActor {
    nonisolated let loop: UVLoop
    private(set) var count = 0
    init(on loop: UVLoop) { self.loop = loop }
    func add() { count += 1 }

    /// Echoes, in a task without an executor preference.
    func echo(on connection: UVConnection) {
        Task {
            while let buffer = try await connection.read() {
                count += 1
                try await connection.write(buffer)
            }
            await connection.close()
        }
    }
}

/// Sends a byte.
func send(_ stream: UVStream) throws(UVError) {
    try stream.write(stream.makeBuffer(capacity: 1) { $0.append(1) })
}

/// Replies to each byte with another one while `continues` returns true, and then closes the stream.
func reply(on stream: UVStream, while continues: @escaping () -> Bool) throws(UVError) {
    try stream.startReading { stream, event in
        guard case .bytes = event, continues() else { return stream.close() }
        try? send(stream)
    }
}

let what = CommandLine.arguments.dropFirst().first ?? ""
let count = Int(CommandLine.arguments.dropFirst(2).first ?? "") ?? 0
let loop = try UVLoop()
let first = Tally(on: loop)
let second = Tally(on: loop)

switch what {
case "yields":
    try loop.run { for _ in 0..<count { await Task.yield() } }
case "messages", "actors", "reads":
    let (client, server) = try UVTCPStream.pair(on: loop)
    if what == "reads" {
        let connection = try UVConnection(server)
        try loop.execute { first.assumeIsolated { $0.echo(on: connection) } }
    } else {
        try reply(on: server) {
            guard what == "actors" else { return true }
            Task(executorPreference: loop) {
                await first.add()
                await second.add()
            }
            return true
        }
    }
    var left = count
    try reply(on: client) {
        left -= 1
        return left > 0
    }
    try send(client)
    try loop.run()
default: fatalError("usage: hops yields|messages|actors|reads COUNT")
}
let calls = try loop.run { await first.count + second.count }
print("\(what) \(count), \(calls) calls of actors")
try loop.close()
