/// The lanes of one server's simulated clients: when each waited, was served, and left.
public struct LanePanel: Hashable, Codable, Sendable {
    /// One client.
    public struct Lane: Hashable, Codable, Sendable {
        /// The client's name.
        public var name: String
        /// The time at which it began to connect, in seconds after the first client did.
        public var startedSeconds: Double
        /// The time at which the server greeted it; `nil` if it never did.
        public var servedSeconds: Double?
        /// The time at which it left.
        public var endedSeconds: Double
        /// Whether it received every reply.
        public var succeeded: Bool

        /// Makes a lane.
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

    /// Makes a panel.
    public init(variant: String, lanes: [Lane]) {
        self.variant = variant
        self.lanes = lanes
    }
}
