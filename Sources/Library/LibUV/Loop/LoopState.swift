internal import CLibUV

// The state that the library keeps for a loop in addition to libuv's structure. It is used only on the loop's thread,
// and seldom.

/// The seldom-used state of a loop.
@safe
struct LoopState: ~Copyable {
    /// The closures to call when a handle has closed.
    var closeCompletions: [UnsafeMutablePointer<uv_handle_t>: [() -> Void]] = unsafe [:]
    /// The writes that are gathered behind a partial write, by stream.
    var gathered: [UnsafeMutablePointer<uv_stream_t>: GatheredWrites] = unsafe [:]
    /// The water marks of the streams that have them.
    var waterLevels: [UnsafeMutablePointer<uv_stream_t>: WaterLevel] = unsafe [:]
    /// The memory that readers have provided for the next read of their streams.
    var lent: [UnsafeMutablePointer<uv_stream_t>: UnsafeMutableBufferPointer<UInt8>] = unsafe [:]
    /// The location in the source where each open handle was made.
    ///
    /// It is recorded only in debug builds.
    var locations: [UnsafeMutablePointer<uv_handle_t>: UVSourceLocation] = unsafe [:]
    /// The pending requests, which this dictionary keeps alive until they complete.
    var requests: [ObjectIdentifier: UVRequest] = [:]
    /// The listeners that pause because the kernel could not accept a connection.
    var pausedListeners: [UVListener] = []
    /// The memory of TCP streams.
    var slab = HandleSlab()
    /// The memory for requests to send datagrams.
    var datagramRequests = DatagramRequests()
    /// The memory for receiving several datagrams with one call.
    var datagramBatch = DatagramBatch()
    /// The queued jobs for the loop's thread.
    var jobs = JobQueue()
    /// The tasks that continue after the next pass of I/O.
    var yieldedTasks: [UnsafeMutablePointer<ParkedTask>] = unsafe []
    /// Whether the running callback will run jobs when it ends.
    var hasEpilogue = false
    var isClosing = false
    var isClosed = false
    var stopRequested = false
    /// The thread for which `isOnMainThread` was determined.
    var notedThread: UInt = 0
    var isOnMainThread = false
    /// The handle that watches the main queue, or `nil` until the main thread runs the loop.
    var mainQueue: UnsafeMutablePointer<uv_poll_t>?
    var mainQueueDescriptor: Int32 = -1

    init() { unsafe mainQueue = nil }
}

/// A location in the source of a program.
public struct UVSourceLocation: Hashable, Sendable, CustomStringConvertible {
    /// The file, in the form of `#fileID`.
    public let file: String
    /// The number of the line, starting at 1.
    public let line: UInt

    init(file: StaticString, line: UInt) {
        self.file = "\(file)"
        self.line = line
    }

    /// The file and the line, separated by a colon.
    public var description: String { "\(file):\(line)" }
}

/// A handle that was still open when its loop was closed.
public struct UVOpenHandle: Hashable, Sendable, CustomStringConvertible {
    /// The type of the handle, for example `tcp` (`uv_handle_type_name`).
    public let type: String
    /// The location where the handle was made, or `nil` in release builds.
    public let location: UVSourceLocation?

    /// The type of the handle, and the location where it was made if that is known.
    public var description: String { location.map { "\(type) made at \($0)" } ?? type }
}
