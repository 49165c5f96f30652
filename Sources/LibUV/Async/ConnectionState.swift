/// What a connection remembers between the calls of tasks and the callbacks of its stream, all on the loop's thread.
@safe
struct ConnectionState: ~Copyable {
    /// A task that waits; resumed with false where it is cancelled.
    typealias Waiter = UnsafeContinuation<Bool, Never>

    let readLimit: Int
    let highWaterMark: Int
    var received = ReceivedBytes()
    /// Whether libuv reads.
    var isReading = false
    var hasEnded = false
    var failure: UVError?
    var reader: Waiter?
    /// Tells the task that waits from those that waited before.
    var readerNumber = 0
    /// How many bytes have come into memory of the reader's own; `nil` while it is lent.
    var ownByteCount: Int? = 0
    var writers: [(number: Int, waiter: Waiter)] = unsafe []
    var nextWriterNumber = 0

    init(readLimit: Int, highWaterMark: Int) {
        self.readLimit = max(1, readLimit)
        self.highWaterMark = max(0, highWaterMark)
        unsafe reader = nil
    }

    /// Resumes the task that reads, if one waits.
    mutating func wakeReader(_ isWoken: Bool = true) {
        guard let waiter = unsafe reader else { return }
        unsafe reader = nil
        unsafe waiter.resume(returning: isWoken)
    }

    /// Resumes the tasks that wait to write on.
    mutating func wakeWriters() {
        unsafe writers.forEach { unsafe $0.waiter.resume(returning: true) }
        unsafe writers.removeAll(keepingCapacity: true)
    }
}
