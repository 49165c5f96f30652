internal import LibUV

/// How the connections of a loop are served: what the models on libuv differ in.
///
/// Made by the thread that starts the server; used on the loop's.
protocol ConnectionServing {
    /// Begins to serve a connection, with the greeting first; calls `placeIsFree` and `connectionClosed` of the service
    /// in the end.
    ///
    /// - Parameters:
    ///   - number: what the connection is called in the log.
    ///   - isForwarded: whether a header of the PROXY protocol comes before the client's first byte.
    /// - Throws: where the connection is not served; the caller closes it.
    func begin(
        _ stream: UVTCPStream, number: UInt32, isForwarded: Bool, for service: LoopService
    ) throws(UVError)

    /// Makes whatever serves a connection call `attend` of the service, unless the connection is closing.
    func attend(to stream: UVTCPStream, for service: LoopService)
}

/// What a connection is doing, as whatever serves it knows.
struct ConnectionView {
    let number: UInt32
    let isInMessage: Bool
    /// Whether this side has ended.
    let hasEnded: Bool
    /// How many bytes have been read and are not answered yet.
    var unansweredByteCount = 0
}

extension WritePath: ConnectionServing {
    func begin(
        _ stream: UVTCPStream, number: UInt32, isForwarded: Bool, for service: LoopService
    ) throws(UVError) {
        let handler = ProtocolHandler(service: service, path: self, number: number)
        guard isForwarded else { return try handler.begin(stream) }
        try ForwardedConnection(handler, number: number, service: service).begin(stream)
    }

    func attend(to stream: UVTCPStream, for service: LoopService) { stream.reportWritten() }
}
