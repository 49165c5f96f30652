extension UVLoop {
    /// Makes a stream that takes ownership of a descriptor (`uv_guess_handle`).
    ///
    /// The kind of the descriptor determines the class of the stream.
    ///
    /// - Returns: a `UVTTY`, a `UVPipe` or a `UVTCPStream`.
    /// - Throws: `notSupported` if the descriptor refers to a file or to anything else that cannot be a stream;
    ///   `badDescriptor` if the descriptor is not open; otherwise the errors of the stream's `init(on:adopting:)`. If
    ///   the call throws, the caller still owns the descriptor.
    public func adopt(
        descriptor: Int32, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> UVStream {
        switch UVDescriptorKind(of: descriptor) {
        case .tty: return try UVTTY(on: self, descriptor: descriptor, file: file, line: line)
        case .tcp: return try UVTCPStream(on: self, adopting: descriptor, file: file, line: line)
        case .pipe: return try UVPipe(on: self, adopting: descriptor, file: file, line: line)
        case .udp, .file, .unknown:
            throw UVError(
                SystemDescriptor.isOpen(descriptor) ? .notSupported : .badDescriptor, operation: "uv_guess_handle")
        }
    }
}
