public import Servers
internal import SystemCalls

/// The amount of code in Swift source that a reader has to read.
public struct SourceMeasure: Hashable, Sendable {
    /// The number of lines that are neither blank nor comments.
    public var codeLines: Int

    /// The number of stored properties plus the number of enumeration cases.
    ///
    /// Stored properties and cases hold the state that a program keeps from one event to the next, so a reader must
    /// keep them in mind.
    public var states: Int

    /// Makes a value from its two counts.
    public init(codeLines: Int = 0, states: Int = 0) {
        self.codeLines = codeLines
        self.states = states
    }

    /// Measures a text that swift-format has formatted.
    ///
    /// All comments in the text must begin with `//`.
    ///
    /// - Parameter omitted: the names of the structures in the text that are not measured.
    public init(of text: String, omitting omitted: [String] = []) {
        self.init()
        // Maps each indentation to the kind of the last declaration or statement on that level.
        var kinds: [Int: SourceDeclaration.Kind] = [:]
        var isOmitted = false
        for line in text.split(separator: "\n") {
            if omitted.contains(where: { line.hasPrefix("struct \($0): ") }) { isOmitted = true }
            defer { if line == "}" { isOmitted = false } }
            let code = line.drop { $0.isWhitespace }
            guard !isOmitted, !code.isEmpty, !code.hasPrefix("//") else { continue }
            codeLines += 1
            guard let first = code.first, first.isLetter || first == "@" else { continue }
            let declaration = SourceDeclaration(code)
            let indentation = line.count - code.count
            states += declaration.stateCount(in: kinds[indentation - 4] ?? .other)
            kinds[indentation] = declaration.kind
        }
    }

    /// The file of the session (`ServerSession`), which every model uses in addition to its own files.
    private static let session = "Server/IncrementProtocol/ServerSession"

    /// The directory of the code for operations (limits, counters, logs), which is the same for every model.
    private static let operations = "Server/Servers/Operations/"

    /// Measures the code to read in order to understand a model: the model's own files and the session.
    ///
    /// The code for operations and the types that only other models use are not counted.
    ///
    /// - Parameter directory: the path of the package's `Sources` directory.
    /// - Returns: `nil` if a file cannot be read.
    public init?(of model: ServerModel, in directory: String) {
        let files = Set(model.sources + [Self.session]).filter { !$0.hasPrefix(Self.operations) }
        guard let measure = Self.ofFiles(files.sorted(), omitting: model.unusedTypes, in: directory) else { return nil }
        self = measure
    }

    /// Measures several files.
    ///
    /// The paths of the files are relative to a directory and omit `.swift`.
    ///
    /// - Returns: the sum, or `nil` if a file cannot be read.
    public static func ofFiles(
        _ names: [String], omitting omitted: [String] = [], in directory: String
    ) -> SourceMeasure? {
        var sum = SourceMeasure()
        for name in names {
            guard let text = try? TextFile.read("\(directory)/\(name).swift") else { return nil }
            let measure = SourceMeasure(of: text, omitting: omitted)
            sum.codeLines += measure.codeLines
            sum.states += measure.states
        }
        return sum
    }

    /// Returns the path of this package's `Sources` directory; `nil` if it is not found.
    ///
    /// The search covers the current directory and its parents, and the parent directories of the running program.
    public static func findSources() -> String? {
        let program = try? TextFile.destination(ofLink: "/proc/self/exe")
        let places = [try? TextFile.currentDirectory(), program].compactMap { $0 }
        return places.lazy.compactMap(sourcesAbove).first
    }

    private static func sourcesAbove(_ place: String) -> String? {
        var directory = place
        while !directory.isEmpty {
            let sources = "\(directory == "/" ? "" : directory)/Sources"
            if (try? TextFile.names(in: "\(sources)/Server/Servers/Models")) != nil { return sources }
            directory = directory.lastIndex(of: "/").map { String(directory[..<$0]) } ?? ""
        }
        return nil
    }
}
