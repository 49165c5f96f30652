internal import LibUV

/// How the connections of a loop are served: what the models on libuv differ in.
///
/// Made by the thread that starts the server; used on the loop's.
protocol ConnectionServing {
    /// Begins to serve a connection, with the greeting first; calls `placeIsFree` and `connectionClosed` of the service
    /// in the end.
    ///
    /// - Throws: where the connection is not served; the caller closes it.
    func begin(_ stream: UVTCPStream, for service: LoopService) throws(UVError)

    /// How many bytes have been read from a connection and are not answered yet, between the loop's callbacks.
    func unansweredByteCount(of stream: UVTCPStream) -> Int
}

extension WritePath: ConnectionServing {
    func begin(_ stream: UVTCPStream, for service: LoopService) throws(UVError) {
        try ProtocolHandler(service: service, path: self).begin(stream)
    }

    /// A callback answers what it was given before it returns.
    func unansweredByteCount(of stream: UVTCPStream) -> Int { 0 }
}
