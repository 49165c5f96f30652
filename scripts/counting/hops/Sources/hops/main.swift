import LibUV

// Repeats one operation. The difference between two runs with different counts shows what the operation costs.
//   hops yields COUNT          a task on the loop yields
//   hops messages COUNT        two streams on one loop send bytes back and forth, with callbacks
//   hops actors COUNT          like messages, but each read callback of one stream also calls two actors on the loop
//   hops reads COUNT           like messages, but on one stream, a task in an actor reads and writes the bytes
//   hops timed-reads COUNT     like reads, but each read has a timeout

/// A counting actor that runs on the loop.
actor Tally: UVActor {
    nonisolated let loop: UVLoop
    private(set) var count = 0
    init(on loop: UVLoop) { self.loop = loop }
    func add() { count += 1 }

    /// Echoes all bytes in a task without an executor preference.
    func echo(on connection: UVConnection, isTimed: Bool) {
        Task {
            if isTimed {
                while let buffer = try await connection.read(within: .seconds(60)) {
                    count += 1
                    try await connection.write(buffer)
                }
            }
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

/// Sends a byte for each received byte as long as `continues` returns true, and then closes the stream.
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
    try loop.runTask { for _ in 0..<count { await Task.yield() } }
case "messages", "actors", "reads", "timed-reads":
    let (client, server) = try UVTCPStream.pair(on: loop)
    if what == "reads" || what == "timed-reads" {
        let connection = try UVConnection(server)
        try loop.execute { first.assumeIsolated { $0.echo(on: connection, isTimed: what == "timed-reads") } }
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
default: fatalError("usage: hops yields|messages|actors|reads|timed-reads COUNT")
}
let calls = try loop.runTask { await first.count + second.count }
print("\(what) \(count), \(calls) actor calls")
try loop.close()
