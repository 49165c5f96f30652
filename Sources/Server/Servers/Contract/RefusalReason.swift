/// Why a server closes a connection that it has not begun to serve.
public enum RefusalReason: String, CaseIterable, Hashable, Sendable {
    /// As many are open as may be (`ServerConfiguration.maxConnections`).
    case limit = "max_connections"
    /// The process or the system has no descriptor left.
    case descriptors = "no_descriptor"
    /// The model cannot watch a descriptor of such a number.
    case descriptorNumber = "descriptor_number"
    /// No thread can be had.
    case threads = "no_thread"
    /// The queue before the threads of a pool is full.
    case queue = "queue_full"
    /// Another failure to accept it.
    case failure = "failure"
}
