internal import SystemCalls

/// A listening socket that is handed from `start` to `run`; closed with its last reference.
final class SharedListener: Sendable {
    let socket: ListeningSocket
    init(_ socket: consuming ListeningSocket) { self.socket = socket }
}

extension SharedListener {
    /// The socket that the configuration hands over, taken; `nil` where it hands over none.
    static func inherited(_ configuration: ServerConfiguration) throws(ServerError) -> SharedListener? {
        guard let number = configuration.inheritedListener else { return nil }
        do throws(SystemCallError) {
            return SharedListener(try ListeningSocket(inheriting: number, backlog: configuration.backlog))
        } catch { throw ServerError(error, address: configuration.address) }
    }

    /// A socket that is bound to the configured address.
    static func bound(_ configuration: ServerConfiguration, isNonBlocking: Bool) throws(SystemCallError)
        -> SharedListener
    {
        SharedListener(
            try ListeningSocket(
                address: configuration.address, backlog: configuration.backlog, isNonBlocking: isNonBlocking))
    }
}
