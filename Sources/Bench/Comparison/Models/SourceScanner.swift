/// Reads Swift line by line, counts lines and variables, and tracks the scopes of braces.
///
/// It recognizes nested comments and string literals with interpolations. It does not recognize raw strings or regular
/// expressions.
struct SourceScanner {
    private(set) var measure = SourceMeasure()
    private var scopes: [Scope] = []
    private var commentDepth = 0
    private var isInText = false

    /// The declaration or statement that a brace belongs to.
    private enum Scope {
        case type
        case enumeration
        case other
    }

    /// Reads the next line.
    mutating func take(_ line: Substring) {
        let code = stripped(line)
        guard code.contains(where: { !$0.isWhitespace }) else { return }
        measure.codeLines += 1
        var part = ""
        for character in code {
            switch character {
            case "{":
                // A declaration that opens a brace is a computed variable, or one that a closure initializes.
                scopes.append(SourceScanner.scope(openedBy: SourceScanner.words(of: part)))
                part = ""
            case "}", ";":
                count(part)
                part = ""
                if character == "}" { _ = scopes.popLast() }
            default: part.append(character)
            }
        }
        count(part)
    }

    /// Counts the variables or cases that a statement declares in the current scope.
    private mutating func count(_ statement: String) {
        guard let scope = scopes.last, scope != .other else { return }
        let words = SourceScanner.words(of: statement)
        if scope == .enumeration, words.first == "case" || words.prefix(2) == ["indirect", "case"] {
            measure.states += SourceScanner.topLevelParts(of: statement)
        } else if SourceScanner.declaresVariable(words) {
            measure.states += 1
        }
    }

    private static func words(of text: String) -> [Substring] {
        text.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "@") }
    }

    private static let modifiers: Set<Substring> = [
        "private", "fileprivate", "internal", "public", "package", "set", "unowned", "weak", "lazy", "static",
    ]

    private static func declaresVariable(_ words: [Substring]) -> Bool {
        words.first { !modifiers.contains($0) && !$0.hasPrefix("@") } == "var"
    }

    private static func scope(openedBy words: [Substring]) -> Scope {
        if !functions.isDisjoint(with: words) { return .other }
        if words.contains("enum") { return .enumeration }
        return types.isDisjoint(with: words) ? .other : .type
    }

    private static let functions: Set<Substring> = ["func", "init", "deinit", "subscript", "var"]
    private static let types: Set<Substring> = ["struct", "class", "actor"]

    /// The number of parts of a list at its top level.
    private static func topLevelParts(of code: String) -> Int {
        var depth = 0
        var parts = 1
        for character in code {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            if character == ",", depth == 0 { parts += 1 }
        }
        return parts
    }
}

// MARK: - Comments and literals

extension SourceScanner {
    /// The line without comments and without the contents of its string literals.
    private mutating func stripped(_ line: Substring) -> String {
        var code = ""
        var rest = line
        while let character = rest.first {
            if commentDepth > 0 {
                skipInComment(&rest)
            } else if isInText {
                skipInText(&rest)
                code += "\""
            } else if rest.hasPrefix("//") {
                break
            } else if rest.hasPrefix("/*") {
                skipInComment(&rest)
            } else if rest.hasPrefix("\"\"\"") {
                isInText = true
                rest = rest.dropFirst(3)
                code += "\""
            } else if character == "\"" {
                SourceScanner.skipLiteral(&rest)
                code += "\"\""
            } else {
                code.append(character)
                rest = rest.dropFirst()
            }
        }
        return code
    }

    /// Skips to the end of a multi-line literal, or to the end of the line.
    private mutating func skipInText(_ rest: inout Substring) {
        while !rest.isEmpty {
            if rest.hasPrefix("\"\"\"") {
                isInText = false
                rest = rest.dropFirst(3)
                return
            }
            rest = rest.dropFirst(rest.first == "\\" ? 2 : 1)
        }
    }

    private mutating func skipInComment(_ rest: inout Substring) {
        if rest.hasPrefix("*/") {
            commentDepth -= 1
            rest = rest.dropFirst(2)
        } else if rest.hasPrefix("/*") {
            commentDepth += 1
            rest = rest.dropFirst(2)
        } else {
            rest = rest.dropFirst()
        }
    }

    /// Skips a literal of one line, from quote to quote.
    private static func skipLiteral(_ rest: inout Substring) {
        rest = rest.dropFirst()
        while let character = rest.first {
            if rest.hasPrefix("\\(") {
                rest = rest.dropFirst(2)
                skipInterpolation(&rest)
            } else {
                rest = rest.dropFirst(character == "\\" ? 2 : 1)
                if character == "\"" { return }
            }
        }
    }

    /// Skips an interpolation, from after its opening parenthesis.
    private static func skipInterpolation(_ rest: inout Substring) {
        var depth = 1
        while depth > 0, let character = rest.first {
            if character == "\"" {
                skipLiteral(&rest)
                continue
            }
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            rest = rest.dropFirst()
        }
    }
}
