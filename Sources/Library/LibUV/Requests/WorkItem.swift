// @unchecked Sendable: the loop's thread makes it, a thread of the pool performs it, and the loop's thread takes the
// result. libuv hands it over under its own lock, and no two threads have it at once.
/// A piece of work and its result.
final class WorkItem<Outcome>: @unchecked Sendable {
    private var body: (() throws -> sending Outcome)?
    private var result: Result<Outcome, any Error>?

    init(_ body: @escaping () throws -> sending Outcome) { self.body = body }

    /// Does the work, and releases what it captured.
    func perform() {
        guard let body else { return }
        do { result = .success(try body()) } catch { result = .failure(error) }
        self.body = nil
    }

    /// The result of the work, or why there is none.
    func takeResult(_ status: Int32) -> Result<Outcome, any Error> {
        defer { result = nil }
        // libuv answers an error for work that was never begun, and zero for work that is done.
        return result ?? .failure(UVError(code: status, operation: "uv_queue_work"))
    }
}
