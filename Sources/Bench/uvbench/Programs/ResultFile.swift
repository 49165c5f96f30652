import SystemCalls
import Terminal

/// Writes a result to a file.
enum ResultFile {
    /// - Throws: `ProgramFailure` with the path and the reason.
    static func write(_ text: String, to path: String) throws {
        do throws(SystemCallError) { try TextFile.write(text, to: path) } catch {
            throw ProgramFailure(message: "cannot write \(path): \(error.message)")
        }
    }
}
