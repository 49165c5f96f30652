/// What a connection remembers between the calls of tasks and the callbacks of its stream, all on the loop's thread.
@safe
struct ConnectionState: ~Copyable {
    /// A scope that attends to the cancellation of the task which entered it.
    struct Attendance {
        /// 0 where there is no scope.
        var task: UInt = 0
        /// Tells the scope from those before it.
        var number = 0
        var isCancelled = false
    }

    let readLimit: Int
    let highWaterMark: Int
    var received = ReceivedBytes()
    /// Whether libuv reads.
    var isReading = false
    var hasEnded = false
    var failure: UVError?
    /// Tells the task that reads from those that read before.
    var readerNumber = 0
    /// How many bytes have come into memory of the reader's own; `nil` while it is lent.
    var ownByteCount: Int? = 0
    /// The scope that attends to the cancellation of its task.
    var attendance = Attendance()
    var nextAttendance = 1
    var writers: [PendingOperation<Void>] = []

    init(readLimit: Int, highWaterMark: Int) {
        self.readLimit = max(1, readLimit)
        self.highWaterMark = max(0, highWaterMark)
    }
}
