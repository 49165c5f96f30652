// @unchecked Sendable: the loop's thread makes the item and takes its result, and a thread of the pool runs it. libuv
// passes it between the threads under a lock, so no two threads use it at the same time.
/// A closure to run on the pool, and its result.
final class WorkItem<Outcome>: @unchecked Sendable {
    private var body: (() throws -> sending Outcome)?
    private var result: Result<Outcome, any Error>?

    init(_ body: @escaping () throws -> sending Outcome) { self.body = body }

    /// Runs the closure, and then releases it.
    func perform() {
        guard let body else { return }
        do { result = .success(try body()) } catch { result = .failure(error) }
        self.body = nil
    }

    /// Returns the closure's result, or an error if the closure was not run.
    func takeResult(_ status: Int32) -> Result<Outcome, any Error> {
        defer { result = nil }
        // libuv's status is an error if no thread has begun the work, and 0 if the work is done.
        return result ?? .failure(UVError(code: status, operation: "uv_queue_work"))
    }
}
