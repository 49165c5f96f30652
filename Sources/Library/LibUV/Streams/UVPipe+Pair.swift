internal import CLibUV

extension UVPipe {
    /// Makes two pipes that are connected with each other, duplex, and without names (`uv_socketpair`).
    ///
    /// - Parameter passesHandles: whether handles can be passed between them; see `init`.
    /// - Throws: `processFileLimit` and the like.
    public static func pair(
        on loop: UVLoop, passesHandles: Bool = false, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> (UVPipe, UVPipe) {
        try loop.checkOpen("uv_socketpair")
        let place = UVSourcePlace(file: file, line: line)
        return try DescriptorPair.connected().adopted { () throws(UVError) in
            try UVPipe(on: loop, passesHandles: passesHandles, place: place)
        }
    }

    /// Makes the two ends of a pipe that carries bytes one way (`uv_pipe`).
    ///
    /// It cannot be shut down: closing the writing end is what the reading one sees as the end.
    ///
    /// - Throws: `processFileLimit` and the like.
    public static func oneWay(
        on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> (reading: UVPipe, writing: UVPipe) {
        try loop.checkOpen("uv_pipe")
        let place = UVSourcePlace(file: file, line: line)
        return try DescriptorPair.oneWay().adopted { () throws(UVError) in
            try UVPipe(on: loop, passesHandles: false, place: place)
        }
    }
}
