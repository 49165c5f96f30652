internal import CLibUV

// What a loop remembers beside libuv's own structure, all of it on the loop's thread and off the hot path.

/// The seldom-used state of a loop.
@safe
struct LoopState: ~Copyable {
    /// What to call when a handle has closed.
    var closeCompletions: [UnsafeMutablePointer<uv_handle_t>: [() -> Void]] = unsafe [:]
    /// Writes that wait behind one that the kernel has not taken whole.
    var gathered: [UnsafeMutablePointer<uv_stream_t>: GatheredWrites] = unsafe [:]
    /// Memory that readers have brought along, for the next read of their streams.
    var lent: [UnsafeMutablePointer<uv_stream_t>: UnsafeMutableBufferPointer<UInt8>] = unsafe [:]
    /// Where each open handle was made; kept in debug builds.
    var places: [UnsafeMutablePointer<uv_handle_t>: UVSourcePlace] = unsafe [:]
    /// Requests whose completion is still to come, which this keeps alive.
    var requests: [ObjectIdentifier: UVRequest] = [:]
    /// Memory for the cells of TCP streams.
    var slab = HandleSlab()
    /// Memory for the requests of datagrams that are being sent.
    var datagramRequests = DatagramRequests()
    /// Memory for datagrams that are received many at once.
    var datagramBatch = DatagramBatch()
    /// Jobs that wait for their turn on the loop's thread.
    var jobs = JobQueue()
    /// Whether a callback is under way that runs jobs at its end.
    var hasEpilogue = false
    var isClosing = false
    var isClosed = false
    var stopRequested = false
}

/// A place in a program's source.
public struct UVSourcePlace: Hashable, Sendable, CustomStringConvertible {
    /// The file, as `#fileID` gives it.
    public let file: String
    /// The line, from 1.
    public let line: UInt

    init(file: StaticString, line: UInt) {
        self.file = "\(file)"
        self.line = line
    }

    /// The file and the line, with a colon between.
    public var description: String { "\(file):\(line)" }
}

/// A handle that was still open when its loop was closed.
public struct UVOpenHandle: Hashable, Sendable, CustomStringConvertible {
    /// What libuv calls the handle's type, as in `tcp` (`uv_handle_type_name`).
    public let type: String
    /// Where it was made; known in debug builds.
    public let place: UVSourcePlace?

    /// The type, and the place where it is known.
    public var description: String { place.map { "\(type) made at \($0)" } ?? type }
}
