/// The state of a connection, which calls from tasks and callbacks of its stream share.
///
/// It is used only on the loop's thread.
@safe
struct ConnectionState: ~Copyable {
    /// A scope that handles the cancellation of the task that entered it.
    struct Attendance {
        /// The identity of the task, or 0 if there is no scope.
        var task: UInt = 0
        /// The number of the scope, which distinguishes it from earlier scopes.
        var number = 0
        var isCancelled = false
    }

    let readLimit: Int
    let highWaterMark: Int
    var received = ReceivedBytes()
    /// Whether libuv is reading from the stream.
    var isReading = false
    var hasEnded = false
    var failure: UVError?
    /// The number of the current reader, which distinguishes it from earlier readers.
    var readerNumber = 0
    /// The number of bytes that were read into memory that the reader provided, or `nil` while the memory is lent.
    var ownByteCount: Int? = 0
    /// The scope that handles the cancellation of its task.
    var attendance = Attendance()
    var nextAttendance = 1
    /// The tasks that wait for the write queue.
    var writers: [WaitingWriter] = []
    var nextWriter = 0
    /// Whether a task stopped waiting for a write whose bytes are queued, so that further writes are rejected.
    var hasAbandonedWrite = false
    /// Whether an empty write is queued that resumes waiting tasks when it completes.
    var isWatchingQueue = false
    var limits = ConnectionLimits()

    init(readLimit: Int, highWaterMark: Int) {
        self.readLimit = max(1, readLimit)
        self.highWaterMark = max(0, highWaterMark)
    }
}
