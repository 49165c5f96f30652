internal import SystemCalls

/// A listening socket that `start` passes to `run`; it is closed when its last reference is released.
final class SharedListener: Sendable {
    let socket: ListeningSocket

    private init(_ socket: consuming ListeningSocket) { self.socket = socket }

    /// Takes the inherited socket of the configuration, or binds a new socket to the configured address.
    static func open(_ configuration: ServerConfiguration, isNonBlocking: Bool) throws(ServerError) -> SharedListener {
        let backlog = configuration.backlog
        do throws(SystemCallError) {
            if let number = configuration.inheritedListener {
                return SharedListener(try ListeningSocket(inheriting: number, backlog: backlog))
            }
            return SharedListener(
                try ListeningSocket(address: configuration.address, backlog: backlog, isNonBlocking: isNonBlocking))
        } catch { throw ServerError(cause: error, address: configuration.address) }
    }
}
