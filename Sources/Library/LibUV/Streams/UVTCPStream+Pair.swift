internal import CLibUV

extension UVTCPStream {
    /// Makes two streams that are connected to each other (`uv_socketpair`).
    ///
    /// Use them to test code for TCP without an address. libuv treats the streams as TCP, but for the kernel they are
    /// local sockets. Bytes, the end of the stream and back-pressure behave as with TCP. Calls for addresses and TCP
    /// options fail.
    ///
    /// - Throws: a system error, for example `processFileLimit`.
    public static func pair(
        on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> (UVTCPStream, UVTCPStream) {
        try loop.checkOpen("uv_socketpair")
        let location = UVSourceLocation(file: file, line: line)
        return try DescriptorPair.connected().adopted { () throws(UVError) in
            try UVTCPStream(on: loop, location: location)
        }
    }
}
