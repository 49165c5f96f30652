/// A standard stream of the process: standard input, standard output or standard error.
public enum UVStandardStream: Int32, CaseIterable, Sendable {
    /// Standard input, descriptor 0.
    case input = 0
    /// Standard output, descriptor 1.
    case output = 1
    /// Standard error, descriptor 2.
    case error = 2

    /// The kind of the descriptor (`uv_guess_handle`).
    public var kind: UVDescriptorKind { UVDescriptorKind(of: rawValue) }

    /// Makes a stream for the descriptor, of the class that suits its kind; see `UVLoop.adopt`.
    ///
    /// Closing the stream leaves the descriptor open. A pipe or socket becomes non-blocking, even for other processes
    /// that share it; see `UVStream.setBlocking`.
    ///
    /// - Returns: a `UVTTY`, a `UVPipe` or a `UVTCPStream`.
    /// - Throws: `notSupported` if the descriptor refers to a file, for example after `< file`, or to `/dev/null`;
    ///   `badDescriptor` if it is closed; `alreadyExists` if another handle of the loop watches it.
    public func open(
        on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> UVStream {
        try loop.adopt(descriptor: rawValue, file: file, line: line)
    }
}
