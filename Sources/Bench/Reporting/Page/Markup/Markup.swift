import Measurements

/// A piece of HTML or SVG.
///
/// Text in the markup is escaped.
struct Markup: Sendable {
    private(set) var html: String

    /// Makes markup from HTML that is not escaped.
    ///
    /// The HTML must be a literal of this program.
    init(trusted html: String) { self.html = html }

    /// Makes markup from text, which is escaped.
    init(_ text: String) { html = Markup.escaped(text) }

    /// Makes markup by joining several pieces.
    init(_ pieces: [Markup]) { html = pieces.map(\.html).joined() }

    /// Makes an element with attributes and children.
    init(_ name: String, _ attributes: KeyValuePairs<String, String>, _ children: [Markup]) {
        html = "<\(name)\(Markup.list(attributes))>\(children.map(\.html).joined())</\(name)>"
    }

    /// Makes an element with attributes and children.
    init(_ name: String, _ attributes: KeyValuePairs<String, String>, _ children: Markup...) {
        self.init(name, attributes, children)
    }

    /// Makes an element with attributes and text.
    init(_ name: String, _ attributes: KeyValuePairs<String, String>, _ text: String) {
        self.init(name, attributes, [Markup(text)])
    }

    /// Makes an element with text.
    init(_ name: String, _ text: String) { self.init(name, [:], [Markup(text)]) }

    /// Makes a void HTML element, which has no end tag.
    static func void(_ name: String, _ attributes: KeyValuePairs<String, String>) -> Markup {
        Markup(trusted: "<\(name)\(list(attributes))>")
    }

    /// Empty markup.
    static let nothing = Markup(trusted: "")

    private static func list(_ attributes: KeyValuePairs<String, String>) -> String {
        attributes.map { " \($0)=\"\(escaped($1))\"" }.joined()
    }

    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { [0x26, 0x3C, 0x3E, 0x22].contains($0) }) else { return text }
        return text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
