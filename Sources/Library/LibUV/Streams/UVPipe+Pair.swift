internal import CLibUV

extension UVPipe {
    /// Makes two connected duplex pipes without names (`uv_socketpair`).
    ///
    /// - Parameter passesHandles: whether handles can be sent over the pipes; see `init`.
    /// - Throws: a system error, for example `processFileLimit`.
    public static func pair(
        on loop: UVLoop, passesHandles: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> (UVPipe, UVPipe) {
        try loop.checkOpen("uv_socketpair")
        let location = UVSourceLocation(file: file, line: line)
        return try DescriptorPair.connected().adopted { () throws(UVError) in
            try UVPipe(on: loop, passesHandles: passesHandles, location: location)
        }
    }

    /// Makes the two ends of a unidirectional pipe (`uv_pipe`).
    ///
    /// The pipe cannot be shut down. When the write end is closed, the read end reports the end of the stream.
    ///
    /// - Throws: a system error, for example `processFileLimit`.
    public static func oneWay(
        on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> (reading: UVPipe, writing: UVPipe) {
        try loop.checkOpen("uv_pipe")
        let location = UVSourceLocation(file: file, line: line)
        return try DescriptorPair.oneWay().adopted { () throws(UVError) in
            try UVPipe(on: loop, passesHandles: false, location: location)
        }
    }
}
