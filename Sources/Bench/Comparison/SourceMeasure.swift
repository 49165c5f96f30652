internal import SystemCalls

/// What a piece of Swift takes to write, as counted from its text.
public struct SourceMeasure: Hashable, Sendable {
    /// Lines that hold code: neither blank nor only a comment.
    public var codeLines: Int

    /// Stored variables of types, and cases of enumerations: what its author must keep in mind between two events.
    public var states: Int

    /// Makes a measure.
    public init(codeLines: Int = 0, states: Int = 0) {
        self.codeLines = codeLines
        self.states = states
    }

    /// Measures a text.
    public init(of text: String) {
        var scanner = SourceScanner()
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) { scanner.take(line) }
        self = scanner.measure
    }

    /// Measures files, given without `.swift` below a directory of sources.
    ///
    /// - Returns: the sum; `nil` where one of them cannot be read.
    public static func ofFiles(_ names: [String], in directory: String) -> SourceMeasure? {
        var sum = SourceMeasure()
        for name in names {
            guard let text = try? TextFile.read("\(directory)/\(name).swift") else { return nil }
            sum += SourceMeasure(of: text)
        }
        return sum
    }

    /// Adds another measure.
    public static func += (sum: inout SourceMeasure, other: SourceMeasure) {
        sum.codeLines += other.codeLines
        sum.states += other.states
    }

    /// The directory `Sources` of this package: at or above the current directory, or above the running program.
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
