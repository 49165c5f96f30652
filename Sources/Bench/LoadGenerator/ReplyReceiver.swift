internal import SystemCalls

/// Receives replies into a single buffer that all connections share.
struct ReplyReceiver: ~Copyable {
    /// The bytes that the last receive call returned.
    private(set) var input = ReusableBuffer(capacity: 256 << 10)
    /// The time at which the kernel received the last byte of `input`; 0 if unknown.
    private(set) var kernelTime = 0
    private let takesTimestamps: Bool

    init(takesTimestamps: Bool) { self.takesTimestamps = takesTimestamps }

    /// Receives the available bytes of a connection, and the kernel's receive time if the load needs it.
    @inline(__always)
    mutating func receive(on descriptor: Int32) throws(SystemCallError) -> IOResult {
        guard takesTimestamps else { return try receive(on: descriptor, limit: .max) }
        var time = 0
        let result = try input.fill { output throws(SystemCallError) in
            try KernelTimestamps.receive(on: descriptor, into: &output, time: &time)
        }
        // If the buffer is full, the socket may contain more bytes, and the kernel's time could belong to one of these
        // bytes. In this case, the time of the last received byte is therefore unknown.
        kernelTime = input.count < input.capacity ? time : 0
        return result
    }

    /// Receives at most `limit` bytes.
    @inline(__always)
    mutating func receive(on descriptor: Int32, limit: Int) throws(SystemCallError) -> IOResult {
        try input.fill(limit: limit) { output throws(SystemCallError) in
            try StreamSocket.receive(on: descriptor, into: &output)
        }
    }

    /// Returns at most `limit` bytes of the input, starting at an offset.
    func bytes(from offset: Int, limit: Int = .max) -> [UInt8] {
        input.withBytes { bytes in (offset..<min(bytes.count, offset + min(limit, bytes.count))).map { bytes[$0] } }
    }
}
