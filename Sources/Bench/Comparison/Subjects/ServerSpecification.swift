internal import Servers
public import SocketAddresses
internal import Terminal

/// A server to compare, as it is named on the command line.
public struct ServerSpecification: Hashable, Sendable {
    /// Where the server comes from.
    public enum Source: Hashable, Sendable {
        /// A model that `uvserver` serves.
        case model(String)
        /// It is anyone's: a command starts it, in which `{port}` stands for the port.
        case command(String)
        /// It runs already.
        case address(SocketAddress)
        /// A server that does next to nothing, `uvbench floor`.
        case floor
    }

    /// What it is called.
    public let name: String
    /// Where it comes from.
    public let source: Source

    /// Makes a specification.
    public init(name: String, source: Source) {
        self.name = name
        self.source = source
    }

    /// Parses a model's name, `NAME=HOST:PORT`, or `NAME=COMMAND` where the command has `{port}` in it.
    ///
    /// - Throws: `ComparisonError`, with what is wrong and what may be given.
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
                "'\(rest)' is neither HOST:PORT nor a command with {port} in it, where \(name) would listen")
        }
    }

    private static func address(_ text: String) -> SocketAddress? {
        if text.hasPrefix("localhost:") {
            return try? SocketAddress(parsing: "127.0.0.1" + text.dropFirst("localhost".count))
        }
        return try? SocketAddress(parsing: text)
    }
}
