internal import CLibUV

/// A handle that can take ownership of a descriptor if it does not have one yet.
protocol DescriptorAdopting: UVHandle {
    func adopt(descriptor: Int32) throws(UVError)
}

extension DescriptorAdopting {
    /// Takes ownership of a descriptor, or closes the handle if that fails.
    ///
    /// If the call throws, the caller still owns the descriptor.
    func adoptOrClose(_ descriptor: Int32) throws(UVError) {
        do throws(UVError) { try adopt(descriptor: descriptor) } catch {
            close()
            throw error
        }
    }
}

extension UVPipe: DescriptorAdopting {}
extension UVPipeListener: DescriptorAdopting {}
extension UVTCPListener: DescriptorAdopting {}
extension UVTCPStream: DescriptorAdopting {}

/// Two connected descriptors.
///
/// Destroying the pair closes the descriptors, unless streams have taken ownership of them.
struct DescriptorPair: ~Copyable {
    private var first: Int32
    private var second: Int32

    deinit {
        if first >= 0 { SystemDescriptor.close(first) }
        if second >= 0 { SystemDescriptor.close(second) }
    }

    /// Makes two connected, non-blocking local stream sockets (`uv_socketpair`).
    static func connected() throws(UVError) -> DescriptorPair {
        let flags = Int32(UV_NONBLOCK_PIPE.rawValue)
        return try unsafe make("uv_socketpair") { unsafe uv_socketpair(cuv_stream_type, 0, $0, flags, flags) }
    }

    /// Makes a pipe, and returns its read end and its write end, which are both non-blocking (`uv_pipe`).
    static func oneWay() throws(UVError) -> DescriptorPair {
        let flags = Int32(UV_NONBLOCK_PIPE.rawValue)
        return try unsafe make("uv_pipe") { unsafe uv_pipe($0, flags, flags) }
    }

    private static func make(
        _ operation: String, _ call: (UnsafeMutablePointer<Int32>) -> Int32
    ) throws(UVError) -> DescriptorPair {
        var descriptors: InlineArray<2, Int32> = [-1, -1]
        var span = descriptors.mutableSpan
        let status = unsafe span.withUnsafeMutableBufferPointer { buffer in
            // The buffer has two elements, so it has a base address.
            unsafe call(buffer.baseAddress.unsafelyUnwrapped)
        }
        try check(status, operation)
        return DescriptorPair(first: descriptors[0], second: descriptors[1])
    }

    /// Transfers the descriptors to two streams.
    ///
    /// If a stream cannot be made or rejects its descriptor, both descriptors and all streams are closed.
    consuming func adopted<Stream: DescriptorAdopting>(
        by make: () throws(UVError) -> Stream
    ) throws(UVError) -> (Stream, Stream) {
        let one = try DescriptorPair.adopt(&first, make)
        do throws(UVError) { return (one, try DescriptorPair.adopt(&second, make)) } catch {
            one.close()
            throw error
        }
    }

    private static func adopt<Stream: DescriptorAdopting>(
        _ descriptor: inout Int32, _ make: () throws(UVError) -> Stream
    ) throws(UVError) -> Stream {
        let stream = try make()
        try stream.adoptOrClose(descriptor)
        descriptor = -1
        return stream
    }
}
