/// What a concurrency model is called, and what can be said of it in one line.
public struct ServerModel: Hashable, Sendable {
    /// The name on the command line, as in `--model libuv`.
    public let name: String

    /// One line: how the model serves many clients.
    public let summary: String

    /// Whether a client is served while another one is connected and silent.
    public let servesClientsSimultaneously: Bool

    /// Makes a description of a model.
    public init(name: String, summary: String, servesClientsSimultaneously: Bool = true) {
        self.name = name
        self.summary = summary
        self.servesClientsSimultaneously = servesClientsSimultaneously
    }
}
