internal import CLibUV

extension UVTCPStream {
    /// Makes two streams that are connected with each other within the process (`uv_socketpair`).
    ///
    /// For trying out what is written for TCP, without an address: libuv knows them as TCP, the kernel as local
    /// sockets. Bytes, ends and back-pressure are as with TCP; addresses and TCP's options are refused.
    ///
    /// - Throws: `processFileLimit` and the like.
    public static func pair(
        on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> (UVTCPStream, UVTCPStream) {
        try loop.checkOpen("uv_socketpair")
        let place = UVSourcePlace(file: file, line: line)
        return try DescriptorPair.connected().adopted { () throws(UVError) in try UVTCPStream(on: loop, place: place) }
    }
}
