extension UVLoop {
    /// Makes a stream of a descriptor, as whatever it is (`uv_guess_handle`); the stream closes it in the end.
    ///
    /// - Returns: a `UVTTY`, a `UVPipe` or a `UVTCPStream`.
    /// - Throws: `notSupported` for a file and what else is no stream, `badDescriptor`, and what `adopt` of the
    ///   stream throws; the descriptor is then still the caller's.
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
