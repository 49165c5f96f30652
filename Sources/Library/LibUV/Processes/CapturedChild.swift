internal import CLibUV

extension UVProcess {
    /// What a process has written, and how it has ended.
    public struct Output: Hashable, Sendable {
        /// How the process has ended.
        public let termination: Termination
        /// The bytes that the process has written to its standard output.
        public let standardOutput: [UInt8]
        /// The bytes that the process has written to its standard error.
        public let standardError: [UInt8]
    }
}

/// A child whose output is collected.
///
/// The object is used only on the loop's thread. Its handles retain it until they have closed.
final class CapturedChild {
    private let limit: Int
    private let operation: PendingOperation<UVProcess.Output>
    private var program = ""
    private var process: UVProcess?
    private var handles: [UVHandle] = []
    private var termination: UVProcess.Termination?
    /// The bytes from the child's standard output and standard error, in this order.
    private var received: [[UInt8]] = [[], []]
    private var openOutputs = 2
    private var hasEnded = false

    init(limit: Int, _ operation: PendingOperation<UVProcess.Output>) {
        self.limit = max(0, limit)
        self.operation = operation
    }

    /// Starts the child.
    ///
    /// - Throws: an error if the child cannot be started or its output cannot be collected. Before the function throws,
    ///   it kills the child if it has started, and closes all handles.
    func start(
        _ options: UVProcess.Options, on loop: UVLoop, input: [UInt8], timeout: Duration?
    ) throws(UVError) {
        program = options.program
        do throws(UVError) {
            var options = options
            let (output, errors) = (try pipe(on: loop), try pipe(on: loop))
            options.standardOutput = .pipe(output, child: .writes)
            options.standardError = .pipe(errors, child: .writes)
            options.standardInput = .ignored
            if input.isEmpty {
                try spawn(options, on: loop)
            } else {
                let writer = try pipe(on: loop)
                let end = try ChildPipe.make(writer, childWrites: false)
                defer { SystemDescriptor.close(end) }
                options.standardInput = .inherited(end)
                try spawn(options, on: loop)
                try send(input, to: writer)
            }
            try collect(output, 0)
            try collect(errors, 1)
            if let timeout {
                let timer = try UVTimer(on: loop)
                handles.append(timer)
                try timer.start(after: timeout) { [self] _ in fail(.timedOut) }
            }
        } catch {
            end()
            throw error
        }
    }

    private func pipe(on loop: UVLoop) throws(UVError) -> UVPipe {
        let pipe = try UVPipe(on: loop)
        handles.append(pipe)
        return pipe
    }

    private func spawn(_ options: UVProcess.Options, on loop: UVLoop) throws(UVError) {
        let process = try UVProcess(on: loop, options: options) { [self] process, termination in
            self.termination = termination
            process.close()
            finishIfComplete()
        }
        process.endsWithHandle = true
        process.whenClosed { [self] in if termination == nil { fail(.cancelled) } }
        self.process = process
    }

    private func send(_ input: [UInt8], to writer: UVPipe) throws(UVError) {
        var buffer = writer.makeBuffer(capacity: input.count)
        buffer.append(copying: input.span)
        // If the child ends before it has read all its input, the write fails, but the operation continues.
        try writer.write(buffer) { _ in writer.close() }
    }

    private func collect(_ pipe: UVPipe, _ index: Int) throws(UVError) {
        try pipe.startReading { [self] pipe, event in
            switch event {
            case .bytes(let bytes): append(bytes, index)
            case .end, .failed: pipe.close()
            case .closed:
                openOutputs -= 1
                finishIfComplete()
            default: break
            }
        }
    }

    private func append(_ bytes: Span<UInt8>, _ index: Int) {
        if hasEnded { return }
        if bytes.count > limit - received[index].count { return fail(.noBufferSpace) }
        unsafe bytes.withUnsafeBufferPointer { unsafe received[index].append(contentsOf: $0) }
    }

    private func finishIfComplete() {
        guard !hasEnded, openOutputs == 0, let termination else { return }
        end()
        operation.complete(
            .success(
                UVProcess.Output(
                    termination: termination, standardOutput: received[0], standardError: received[1])))
    }

    /// Completes the operation with an error.
    func fail(_ code: UVError.Code) {
        if hasEnded { return }
        end()
        received = [[], []]
        operation.complete(.failure(UVError(code, operation: "uv_spawn", detail: program)))
    }

    /// Kills the child if it is still running, and closes all handles.
    private func end() {
        hasEnded = true
        process?.abandon(SIGKILL, killingAfter: .zero)
        for handle in handles { handle.close() }
        handles = []
    }
}
