extension UVLoop {
    /// Makes a stream that takes ownership of a descriptor (`uv_guess_handle`).
    ///
    /// The kind of the descriptor determines the class of the stream.
    ///
    /// - Returns: a `UVTTY`, a `UVPipe` or a `UVTCPStream`.
    /// - Throws: `notSupported` if the descriptor is a file or of another kind that cannot be a stream;
    ///   `badDescriptor`; otherwise the errors of the stream's `adopt`. The caller then still owns the descriptor.
    public func adopt(
        descriptor: Int32, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> UVStream {
        let place = UVSourcePlace(file: file, line: line)
        switch UVDescriptorKind(of: descriptor) {
        case .tty: return try UVTTY(on: self, descriptor: descriptor, file: file, line: line)
        case .tcp: return try adopt(descriptor, into: try UVTCPStream(on: self, place: place))
        case .pipe: return try adopt(descriptor, into: try UVPipe(on: self, passesHandles: false, place: place))
        case .udp, .file, .unknown:
            throw UVError(
                SystemDescriptor.isOpen(descriptor) ? .notSupported : .badDescriptor, operation: "uv_guess_handle")
        }
    }

    private func adopt(_ descriptor: Int32, into stream: any DescriptorAdopting) throws(UVError) -> UVStream {
        do throws(UVError) { try stream.adopt(descriptor: descriptor) } catch {
            stream.close()
            throw error
        }
        return stream
    }
}
