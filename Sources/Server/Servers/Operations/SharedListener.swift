internal import SystemCalls

/// A listening socket that `start` hands to `run`; closed with its last reference.
final class SharedListener: Sendable {
    let socket: ListeningSocket

    private init(_ socket: consuming ListeningSocket) { self.socket = socket }

    /// The socket that the configuration inherits; `nil` if it inherits none.
    static func inherited(_ configuration: ServerConfiguration) throws(ServerError) -> SharedListener? {
        guard let number = configuration.inheritedListener else { return nil }
        do throws(SystemCallError) {
            return SharedListener(try ListeningSocket(inheriting: number, backlog: configuration.backlog))
        } catch { throw ServerError(error, address: configuration.address) }
    }

    /// The inherited socket, or one bound to the configured address.
    static func open(_ configuration: ServerConfiguration, isNonBlocking: Bool) throws(ServerError) -> SharedListener {
        if let inherited = try inherited(configuration) { return inherited }
        do throws(SystemCallError) {
            return SharedListener(
                try ListeningSocket(
                    address: configuration.address, backlog: configuration.backlog, isNonBlocking: isNonBlocking))
        } catch { throw ServerError(error, address: configuration.address) }
    }
}
