/// How simulated clients fared with one server: when each waited, was served, and was done.
public struct LanePanel: Hashable, Codable, Sendable {
    /// One client.
    public struct Lane: Hashable, Codable, Sendable {
        /// The client's name.
        public var name: String
        /// When it began to connect, in seconds after the first one did.
        public var startedSeconds: Double
        /// When the server turned to it; `nil` where it never did.
        public var servedSeconds: Double?
        /// When it left.
        public var endedSeconds: Double
        /// Whether it got what it wanted.
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
