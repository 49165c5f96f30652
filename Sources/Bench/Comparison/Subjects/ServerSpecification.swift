internal import Servers
public import SocketAddresses
internal import Terminal

/// A server to compare, as given on the command line.
public struct ServerSpecification: Hashable, Sendable {
    /// Where the server comes from.
    public enum Source: Hashable, Sendable {
        /// A model that `uvserver` serves.
        case model(String)
        /// Any server that a command starts; `{port}` in it stands for the port.
        case command(String)
        /// A server that already runs.
        case address(SocketAddress)
        /// A server that only increments bytes, `uvbench floor`.
        case floor
    }

    /// Its name in the report.
    public let name: String
    /// Where it comes from.
    public let source: Source

    /// Makes a specification.
    public init(name: String, source: Source) {
        self.name = name
        self.source = source
    }

    /// Parses a model's name, `NAME=HOST:PORT`, or `NAME=COMMAND` with `{port}` in the command.
    ///
    /// - Throws: `ComparisonError` with the reason and the valid forms.
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
                "'\(rest)' is neither HOST:PORT nor a command with {port}, the port where \(name) listens")
        }
    }

    private static func address(_ text: String) -> SocketAddress? {
        if text.hasPrefix("localhost:") {
            return try? SocketAddress(parsing: "127.0.0.1" + text.dropFirst("localhost".count))
        }
        return try? SocketAddress(parsing: text)
    }
}
