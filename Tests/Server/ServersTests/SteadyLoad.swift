import SocketAddresses
import SystemCalls
import Testing

/// A load of many clients on one thread.
///
/// Each client repeatedly sends a message and waits for the whole reply, until it receives FIN.
final class SteadyLoad {
    static let message = Array("^abcdefghijklmn$".utf8)
    static let reply = Array("bcdefghijklmno".utf8)

    private var poller: EpollPoller
    /// For each client, the number of received bytes of the current reply.
    private var progress: [Int32: Int] = [:]
    private var buffer = ReusableBuffer(capacity: 64)

    private(set) var replyCount = 0
    private(set) var receivedByteCount = 0
    private(set) var endCount = 0
    /// The number of FINs that arrived between a client's message and the first byte of the reply to it.
    private(set) var crossedCount = 0
    /// The number of FINs that arrived in the middle of a reply.
    private(set) var tornReplyCount = 0
    private(set) var failures: [SystemCallError] = []
    var failureCount: Int { failures.count }

    init(to address: SocketAddress, connections: Int) throws {
        poller = try EpollPoller()
        for _ in 0..<connections {
            let client = try TestClient(address)
            #expect(try client.receive(1) == [0x2A])
            try client.socket.setNonBlocking(true)
            try poller.add(client.socket.rawValue, .readable)
            progress[client.release()] = 0
        }
        for descriptor in Array(progress.keys) { send(descriptor) }
    }

    deinit { for descriptor in progress.keys { StreamSocket.close(descriptor) } }

    /// Runs the clients until they have received the given number of replies.
    func run(messages: Int) throws { while replyCount < messages { try turn() } }

    /// Runs the clients until the server has sent FIN to all of them.
    func runUntilFIN() throws { while !progress.isEmpty { try turn() } }

    private func turn() throws {
        let count = try poller.wait(timeout: .seconds(30))
        try #require(count > 0)
        for index in 0..<count { receive(poller.ready(at: index).descriptor) }
    }

    private func send(_ descriptor: Int32) {
        do throws(SystemCallError) {
            let result = try StreamSocket.send(SteadyLoad.message.span, on: descriptor)
            #expect(result == .bytes(SteadyLoad.message.count))
        } catch { fail(descriptor, error) }
    }

    private func receive(_ descriptor: Int32) {
        while let before = progress[descriptor] {
            let result: IOResult
            do throws(SystemCallError) {
                result = try buffer.fill { output throws(SystemCallError) in
                    try StreamSocket.receive(on: descriptor, into: &output)
                }
            } catch { return fail(descriptor, error) }
            switch result {
            case .bytes(let count):
                let after = before + count
                #expect(buffer.withBytes { copy($0) }[...] == SteadyLoad.reply[before..<min(after, 14)])
                receivedByteCount += count
                progress[descriptor] = after
            case .wouldBlock:
                // `wouldBlock` means that no FIN arrived with the reply. After a FIN, `receive` returns `.end`.
                if before < SteadyLoad.reply.count { return }
                replyCount += 1
                progress[descriptor] = 0
                return send(descriptor)
            case .end:
                if before == 0 { crossedCount += 1 } else if before < SteadyLoad.reply.count { tornReplyCount += 1 }
                return finish(descriptor)
            }
        }
    }

    private func fail(_ descriptor: Int32, _ error: SystemCallError) {
        failures.append(error)
        finish(descriptor)
    }

    private func finish(_ descriptor: Int32) {
        guard progress.removeValue(forKey: descriptor) != nil else { return }
        endCount += 1
        try? poller.remove(descriptor)
        StreamSocket.close(descriptor)
    }
}
