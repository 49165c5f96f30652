import Measurements

/// A piece of HTML or SVG, in which everything that came as text is escaped.
struct Markup: Sendable {
    private(set) var html: String

    /// Markup that is written as it is: only for what this program's own source spells out.
    init(trusted html: String) { self.html = html }

    /// Text, escaped.
    init(_ text: String) { html = Markup.escaped(text) }

    /// Pieces one after the other.
    init(_ pieces: [Markup]) { html = pieces.map(\.html).joined() }

    /// An element with its attributes and what is in it.
    init(_ name: String, _ attributes: KeyValuePairs<String, String>, _ children: [Markup]) {
        html = "<\(name)\(Markup.list(attributes))>\(children.map(\.html).joined())</\(name)>"
    }

    /// An element with its attributes and text in it.
    init(_ name: String, _ attributes: KeyValuePairs<String, String>, _ text: String) {
        self.init(name, attributes, [Markup(text)])
    }

    /// An element with text in it.
    init(_ name: String, _ text: String) { self.init(name, [:], [Markup(text)]) }

    /// An element of HTML that has no end.
    static func void(_ name: String, _ attributes: KeyValuePairs<String, String>) -> Markup {
        Markup(trusted: "<\(name)\(list(attributes))>")
    }

    /// Nothing.
    static let nothing = Markup(trusted: "")

    private static func list(_ attributes: KeyValuePairs<String, String>) -> String {
        attributes.map { " \($0)=\"\(escaped($1))\"" }.joined()
    }

    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { [0x26, 0x3C, 0x3E, 0x22].contains($0) }) else { return text }
        return text.reduce(into: "") { escaped, character in
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.append(character)
            }
        }
    }
}
