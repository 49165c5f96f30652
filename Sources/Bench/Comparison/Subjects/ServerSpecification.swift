internal import Servers
public import SocketAddresses
internal import Terminal

/// A server to compare, as given on the command line.
public struct ServerSpecification: Hashable, Sendable {
    /// The origin of a server.
    public enum Source: Hashable, Sendable {
        /// A model that `uvserver` serves.
        case model(String)
        /// Any server that a command starts. `{port}` in the command is replaced with the port.
        case command(String)
        /// A server that is already running.
        case address(SocketAddress)
        /// The floor, `uvbench floor`, which does as little as possible.
        case floor
    }

    /// The server's name in the report.
    public let name: String
    /// The origin of the server.
    public let source: Source

    /// Makes a specification from a name and an origin.
    public init(name: String, source: Source) {
        self.name = name
        self.source = source
    }

    /// Parses a model's name, `NAME=HOST:PORT`, or `NAME=COMMAND` with `{port}` in the command.
    ///
    /// - Throws: `ComparisonError` that states what is invalid and lists the valid forms.
    public init(parsing text: String) throws(ComparisonError) {
        guard let sign = text.firstIndex(of: "=") else {
            guard ServerModels.named(text) != nil else {
                throw ComparisonError(
                    UnknownName.message("model", text, among: ServerModels.all.map(\.name))
                        + " Or give NAME=HOST:PORT, or NAME='COMMAND with {port}'")
            }
            self.init(name: text, source: .model(text))
            return
        }
        let name = String(text[..<sign])
        let rest = String(text[text.index(after: sign)...])
        guard !name.isEmpty else { throw ComparisonError("'\(text)' has no name before the equals sign") }
        if rest.contains("{port}") {
            self.init(name: name, source: .command(rest))
        } else if let address = ServerSpecification.address(rest) {
            self.init(name: name, source: .address(address))
        } else {
            throw ComparisonError(
                "'\(rest)' is neither HOST:PORT nor a command with {port}. In the command, {port} stands for the port "
                    + "on which \(name) has to listen")
        }
    }

    private static func address(_ text: String) -> SocketAddress? {
        if text.hasPrefix("localhost:") {
            return try? SocketAddress(parsing: "127.0.0.1" + text.dropFirst("localhost".count))
        }
        return try? SocketAddress(parsing: text)
    }
}
