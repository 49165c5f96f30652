internal import LibUV
internal import SocketAddresses
internal import SystemCalls

// What a service manager gives a loop, and wants from it.
extension LoopService {
    /// Listens at a socket that other loops, and other processes, may have too: by a descriptor of its own.
    func start(sharing socket: SharedListener) throws(UVError) -> SocketAddress {
        let number: Int32
        do throws(SystemCallError) { number = try socket.socket.duplicate() } catch {
            throw UVError(systemCode: error.code, operation: error.call)
        }
        do throws(UVError) { try listener.adopt(descriptor: number) } catch {
            _ = StreamSocket(adopting: number)
            throw error
        }
        return try listen()
    }

    /// Gives the sign of life that is asked for, from the loop, once it turns.
    func startHeartbeat() throws(UVError) {
        guard let heartbeat = configuration.heartbeat else { return }
        let timer = try UVTimer(on: loop)
        timer.unref()
        try timer.start(after: .zero, repeating: heartbeat.interval) { _ in heartbeat.beat() }
    }
}
