/// The first line of a declaration or a statement in formatted Swift.
///
/// In formatted source, each declaration and statement starts a new line, and the members of a type are indented by
/// four spaces. Raw strings are not recognized.
struct SourceDeclaration {
    /// The kind of declaration on a line.
    enum Kind {
        case type
        case enumeration
        case other
    }

    private let code: String
    private let words: [Substring]

    /// - Parameter line: the line without its indentation.
    init(_ line: some StringProtocol) {
        code = String(line).replacing(/"(\\.|[^"\\])*"/, with: "")
        words = code.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "@") }
    }

    /// The kind of declaration on the line.
    ///
    /// The kind is `other` for a function or a variable, because its body contains no stored properties.
    var kind: Kind {
        if !Self.functions.isDisjoint(with: words) { return .other }
        if words.contains("enum") { return .enumeration }
        return Self.types.isDisjoint(with: words) ? .other : .type
    }

    /// Returns the number of stored properties or enumeration cases that the line declares.
    ///
    /// - Parameter scope: the kind of the scope that contains the line. If the line contains the whole declaration of a
    ///   type, the scope is that type, and this parameter is ignored.
    func stateCount(in scope: Kind) -> Int {
        if kind != .other, code.hasSuffix("}"), let body = code.firstIndex(of: "{") {
            return SourceDeclaration(code[code.index(after: body)...].dropLast()).stateCount(in: kind)
        }
        if scope == .enumeration, words.first == "case" || words.starts(with: ["indirect", "case"]) {
            return code.replacing(/\([^()]*\)/, with: "").split(separator: ",").count
        }
        let isVariable = words.first { !Self.modifiers.contains($0) && !$0.hasPrefix("@") } == "var"
        return scope != .other && isVariable && !code.contains("{") ? 1 : 0
    }

    private static let functions: Set<Substring> = ["func", "init", "deinit", "subscript", "var"]
    private static let types: Set<Substring> = ["struct", "class", "actor"]
    private static let modifiers: Set<Substring> = [
        "private", "fileprivate", "internal", "public", "package", "set", "unowned", "weak", "lazy", "static",
    ]
}
