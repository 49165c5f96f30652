/// One of the three streams that a process is given: standard input, output and error.
public enum UVStandardStream: Int32, CaseIterable, Sendable {
    /// Descriptor 0.
    case input = 0
    /// Descriptor 1.
    case output = 1
    /// Descriptor 2.
    case error = 2

    /// What the descriptor is (`uv_guess_handle`).
    public var kind: UVDescriptorKind { UVDescriptorKind(of: rawValue) }

    /// Opens the descriptor as whatever it is; see `UVLoop.adopt`.
    ///
    /// Closing the stream leaves the descriptor open. A pipe or socket does not block from here on, for all who
    /// share it with this process; see `UVStream.setBlocking`.
    ///
    /// - Returns: a `UVTTY`, a `UVPipe` or a `UVTCPStream`.
    /// - Throws: `notSupported` where it is a file, as after `< file`, or `/dev/null`; `badDescriptor` where it is
    ///   closed; `alreadyExists` where another handle of the loop watches it.
    public func open(
        on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> UVStream {
        try loop.adopt(descriptor: rawValue, file: file, line: line)
    }
}
