/// The first line of a declaration or a statement in formatted Swift.
///
/// Formatted source starts a line for each declaration and statement, and indents the members of a type by four spaces.
/// Raw strings are not recognized.
struct SourceDeclaration {
    /// What a line declares.
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

    /// What the line declares; a function or a variable has no members that count.
    var kind: Kind {
        if !Self.functions.isDisjoint(with: words) { return .other }
        if words.contains("enum") { return .enumeration }
        return Self.types.isDisjoint(with: words) ? .other : .type
    }

    /// The number of stored variables or cases that the line declares in a scope of this kind, or in a type of its own.
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
