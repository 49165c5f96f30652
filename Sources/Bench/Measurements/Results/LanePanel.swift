/// The time lines of one server's simulated clients: when each client waited, when it was served, and when it left.
public struct LanePanel: Hashable, Codable, Sendable {
    /// The time line of one client.
    public struct Lane: Hashable, Codable, Sendable {
        /// The client's name.
        public var name: String
        /// The time at which the client began to connect, in seconds after the first client began to connect.
        public var startedSeconds: Double
        /// The time at which the server greeted the client, in seconds after the first client began to connect; `nil`
        /// if the server never greeted the client.
        public var servedSeconds: Double?
        /// The time at which the client left, in seconds after the first client began to connect.
        public var endedSeconds: Double
        /// Whether the client received every reply.
        public var succeeded: Bool

        /// Makes the time line of a client.
        public init(
            name: String, startedSeconds: Double, servedSeconds: Double?, endedSeconds: Double, succeeded: Bool
        ) {
            self.name = name
            self.startedSeconds = startedSeconds
            self.servedSeconds = servedSeconds
            self.endedSeconds = endedSeconds
            self.succeeded = succeeded
        }
    }

    /// The server's name.
    public var variant: String
    /// The clients, from top to bottom.
    public var lanes: [Lane]

    /// Makes the panel of one server.
    public init(variant: String, lanes: [Lane]) {
        self.variant = variant
        self.lanes = lanes
    }
}
