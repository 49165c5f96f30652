/// The state of a connection, shared by the calls of tasks and the callbacks of the stream.
///
/// It is used only on the loop's thread.
@safe
struct ConnectionState: ~Copyable {
    // The order of the properties keeps the structure small.
    /// The storage for a task that waits for bytes.
    var reader = ParkedTask()
    let readLimit: Int
    let highWaterMark: Int
    var received = ReceivedBytes()
    /// The tasks that wait for the write queue.
    var writers: [WaitingWriter] = []
    /// The scopes that handle the cancellation of their tasks.
    var scopes = CancellationScopes()
    /// The number of the current reader, which distinguishes it from earlier readers.
    var readerNumber: UInt32 = 0
    var nextWriter: UInt32 = 0
    /// The connection's index in the list of its `ServedConnections`.
    var serverIndex: UInt32 = 0
    /// The number of bytes that were read into memory that the reader provided, or `nil` while the memory is lent.
    var ownByteCount: Int? = 0
    /// Whether libuv is reading from the stream.
    ///
    /// If libuv is reading, the stream has neither ended nor failed.
    var isReading = false
    var hasEnded = false
    /// Whether a task has stopped waiting for a write whose bytes are queued.
    ///
    /// If so, the connection rejects all later writes.
    var hasAbandonedWrite = false
    /// Whether an empty write is queued that resumes waiting tasks when it completes.
    var isWatchingQueue = false
    var failure: UVError?
    var limits = ConnectionLimits()

    /// Whether a write only needs to check the write queue.
    @inline(__always)
    var mayWriteAtOnce: Bool { !hasAbandonedWrite && failure == nil && limits.idleLimit == nil }

    init(readLimit: Int, highWaterMark: Int) {
        self.readLimit = max(1, readLimit)
        self.highWaterMark = max(0, highWaterMark)
    }
}
