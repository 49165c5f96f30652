/// The reasons why a server rejects a connection.
///
/// To reject a connection means to accept it and to close it without serving it.
public enum RejectionReason: String, CaseIterable, Hashable, Sendable {
    /// The limit on open connections is reached (`ServerConfiguration.maxConnections`).
    case limit = "max_connections"
    /// The process or the system has no descriptor left.
    case descriptors = "no_descriptor"
    /// The model cannot watch a descriptor with this number.
    case descriptorNumber = "descriptor_number"
    /// The system cannot start another thread.
    case threads = "no_thread"
    /// The queue of the thread pool is full.
    case queue = "queue_full"
    /// Another error prevented the server from serving the connection.
    case failure = "failure"
}
