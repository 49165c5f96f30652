/// A connection's cancellation scopes that tasks have entered and not left yet.
///
/// Several tasks may be in scopes of one connection at the same time, and may leave them in any order. A connection
/// usually has one scope, which needs no allocation.
struct CancellationScopes {
    struct Scope {
        /// The identity of the task that entered the scope, or 0 if there is no scope.
        var task: UInt = 0
        /// The number of the scope, which distinguishes it from earlier scopes.
        var number: UInt32 = 0
        var isCancelled = false
    }

    /// The scope that was entered last.
    private var latest = Scope()
    /// The scopes that were entered before `latest`, the earliest first.
    private var earlier: [Scope] = []
    private var lastNumber: UInt32 = 0
    /// The number of the scope whose handler ends the wait of the current reader, or 0 if the reader has its own
    /// handler.
    private var readerScope: UInt32 = 0

    /// Adds a scope of a task, and returns its number.
    mutating func enter(_ task: UInt) -> UInt32 {
        if latest.number != 0 { earlier.append(latest) }
        lastNumber = lastNumber == .max ? 1 : lastNumber + 1
        latest = Scope(task: task, number: lastNumber)
        return lastNumber
    }

    /// Removes a scope.
    mutating func leave(_ number: UInt32) {
        if latest.number == number {
            latest = earlier.popLast() ?? Scope()
        } else {
            earlier.removeAll { $0.number == number }
        }
    }

    /// Marks a scope as cancelled, unless its task has left it.
    ///
    /// - Returns: whether the current reader's wait belongs to this scope.
    mutating func cancel(_ number: UInt32) -> Bool {
        if latest.number == number {
            latest.isCancelled = true
        } else if let index = earlier.firstIndex(where: { $0.number == number }) {
            earlier[index].isCancelled = true
        } else {
            return false
        }
        return readerScope == number
    }

    /// Returns whether the calling task has been cancelled in its innermost scope, or `nil` if it is in no scope.
    ///
    /// If the task is in a scope, cancelling that scope ends the wait that the task begins.
    @inline(__always)
    mutating func beginWait() -> Bool? {
        readerScope = 0
        guard latest.number != 0 else { return nil }
        let task = TaskIdentity.current
        if latest.task == task, task != 0 {
            readerScope = latest.number
            // Check the task, too, because a task may have cancelled itself, which `serve` does not notice.
            return latest.isCancelled || TaskIdentity.isCancelled(task)
        }
        return beginWait(inEarlierScopeOf: task)
    }

    private mutating func beginWait(inEarlierScopeOf task: UInt) -> Bool? {
        guard task != 0, let scope = earlier.last(where: { $0.task == task }) else { return nil }
        readerScope = scope.number
        return scope.isCancelled || TaskIdentity.isCancelled(task)
    }
}
