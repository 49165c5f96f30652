import CDispatch
import Foundation
import LibUV
import SystemCalls
import Testing

/// Tests of listening on a Unix domain socket.
///
/// docs/behaviours.md lists the behaviours and pitfalls by number.
@Suite(.timeLimit(.minutes(1))) struct PipeListenerTests {
    /// Behaviour 46: for pipes, `bind` reports that the name is in use.
    @Test(arguments: [UVPipeName.path(temporaryPath()), .abstract(temporaryPath())])
    func aNameInUseIsReportedByBind(_ name: UVPipeName) throws {
        try withLoop { loop in
            let (first, second) = (try UVPipeListener(on: loop), try UVPipeListener(on: loop))
            try first.bind(to: name)
            #expect(throws: UVError(.addressInUse, operation: "uv_pipe_bind")) { try second.bind(to: name) }
            #expect(throws: UVError(.invalidArgument, operation: "uv_pipe_bind")) { try first.bind(to: name) }
            // After its failed bind, the second listener can still bind the name.
            first.close()
            try loop.run()
            try second.bind(to: name)
        }
    }

    /// Tests behaviour 47 of docs/behaviours.md.
    @Test func onlyABoundListenerThatIsOpenListens() throws {
        try withLoop { loop in
            let listener = try UVPipeListener(on: loop)
            #expect(throws: UVError(.invalidArgument, operation: "uv_listen")) { try listener.listen { _, _ in } }
            #expect(throws: UVError(.permissionDenied, operation: "uv_pipe_bind")) {
                try listener.bind(to: .path("/nowhere/at/all"))
            }
            listener.close()
            #expect(throws: UVError(.invalidArgument, operation: "uv_pipe_bind")) {
                try listener.bind(to: .path(temporaryPath()))
            }
            #expect(throws: UVError(.invalidArgument, operation: "uv_listen")) { try listener.listen { _, _ in } }
            try loop.run()
        }
    }

    /// Behaviour 53: closing a listener removes the path to which it was bound.
    ///
    /// Promise of the article "Stopping a server".
    @Test func thePathGoesWithTheListener() throws {
        let path = temporaryPath()
        try withLoop { loop in
            let listener = try UVPipeListener(on: loop)
            try listener.bind(to: .path(path))
            #expect(unsafe access(path, F_OK) == 0)
            listener.close()
            try loop.run()
            #expect(unsafe access(path, F_OK) != 0)
        }
    }

    /// Tests behaviour 53 of docs/behaviours.md, like libuv's test pipe_set_chmod.
    @Test func allUsersMayBeGivenAccess() throws {
        try withLoop { loop in
            let listener = try UVPipeListener(on: loop)
            #expect(throws: UVError(.badDescriptor, operation: "uv_pipe_chmod")) {
                try listener.allowAllUsers(.readable)
            }
            let path = temporaryPath()
            try listener.bind(to: .path(path))
            #expect(unsafe chmod(path, 0o600) == 0)
            #expect(throws: UVError(.invalidArgument, operation: "uv_pipe_chmod")) { try listener.allowAllUsers([]) }
            for (access, permissions) in [(UVPipeListener.Access.readable, 0o644), ([.readable, .writable], 0o666)] {
                try listener.allowAllUsers(access)
                var status = stat()
                #expect(unsafe stat(path, &status) == 0)
                #expect(Int(status.st_mode) & 0o777 == permissions)
            }
            listener.setPendingInstances(8)
            let unnamed = try UVPipeListener(on: loop)
            try unnamed.bind(to: .abstract(path))
            #expect(throws: UVError(.noSuchFile, operation: "uv_pipe_chmod")) { try unnamed.allowAllUsers(.writable) }
        }
    }

    /// Tests behaviour 48 and pitfall 24 of docs/behaviours.md.
    ///
    /// Promise of the article "Back-pressure".
    @Test func aConnectionThatIsNotTakenWaitsAndHoldsUpTheNext() throws {
        try withLoop { loop in
            let name = UVPipeName.abstract(temporaryPath())
            let listener = try UVPipeListener(on: loop)
            try listener.bind(to: name)
            var reported = 0
            try listener.listen { _, _ in reported += 1 }
            #expect(throws: UVError(.wouldBlock, operation: "uv_accept")) { try listener.accept() }
            var connected = 0
            for _ in 0..<2 {
                try UVPipe(on: loop).connect(to: name) { result in if case .success = result { connected += 1 } }
            }
            while connected < 2 || reported < 1 { try loop.run(.once) }
            for _ in 0..<5 { try loop.run(.noWait) }
            #expect(reported == 1)
            let first = try listener.accept()
            while reported < 2 { try loop.run(.once) }
            #expect(try listener.accept() !== first)
        }
    }

    /// A connect to a full backlog fails at once; with TCP, it would wait.
    @Test(arguments: [UVPipeName.path(temporaryPath()), .abstract(temporaryPath())])
    func aFullBacklogIsReportedToTheClient(_ name: UVPipeName) throws {
        try withLoop { loop in
            let listener = try UVPipeListener(on: loop)
            try listener.bind(to: name)
            try listener.listen(backlog: 0) { _, _ in }
            var (connected, refused) = (0, 0)
            for _ in 0..<3 {
                try UVPipe(on: loop).connect(to: name) { result in
                    switch result {
                    case .success: connected += 1
                    case .failure(let error): refused += error.code == .wouldBlock ? 1 : 100
                    }
                }
            }
            while connected + refused < 3 { try loop.run(.once) }
            #expect(connected == 1 && refused == 2)
        }
    }

    /// Tests behaviour 48 and pitfall 2 of docs/behaviours.md.
    @Test func aListenerMayBeClosedInItsOwnCallback() throws {
        try withLoop { loop in
            let name = UVPipeName.path(temporaryPath())
            let listener = try UVPipeListener(on: loop)
            try listener.bind(to: name)
            var closed = 0
            try listener.listen { listener, _ in
                listener.close { closed += 1 }
                listener.close()
            }
            let client = try UVPipe(on: loop)
            let collected = Collected()
            try client.connect(to: name) { _ in try? client.collect(collected) }
            try loop.run()
            #expect(closed == 1)
            #expect(collected.endCount + collected.failures.count == 1)
        }
    }

    /// A listener can adopt a socket that another program has bound, for example a service manager.
    @Test func aBoundSocketIsTakenOver() throws {
        try withLoop { loop in
            let name = UVPipeName.abstract(temporaryPath())
            let first = try UVPipeListener(on: loop)
            try first.bind(to: name)
            let number = dup(try first.withUnsafeDescriptor { $0 })
            first.close()
            try loop.run()
            let listener = try UVPipeListener(on: loop, adopting: number)
            #expect(try listener.localName == name)
            var accepted = 0
            try listener.listen { listener, _ in
                if let stream = try? listener.accept() {
                    accepted += 1
                    stream.close()
                }
                listener.close()
            }
            let client = try UVPipe(on: loop)
            try client.connect(to: name) { _ in client.close() }
            try loop.run()
            #expect(accepted == 1)
        }
    }

    /// Tests behaviour 49 and pitfall 23 of docs/behaviours.md in a process that runs out of descriptors.
    ///
    /// Promise of the article "Back-pressure".
    @Test func withoutDescriptorsClientsAreShedAndTheLoopDoesNotSpin() async {
        await #expect(processExitsWith: .success) {
            let loop = try UVLoop()
            let name = UVPipeName.abstract("uv: shed \(getpid())")
            let listener = try UVPipeListener(on: loop)
            try listener.bind(to: name)
            var (calls, errors) = (0, 0)
            var streams: [UVPipe] = []
            try listener.listen { listener, error in
                calls += 1
                if error != nil { errors += 1 } else if let stream = try? listener.accept() { streams.append(stream) }
            }
            let clients = try UVLoop()
            var ended = 0
            var highest: Int32 = 0
            for _ in 0..<20 {
                let client = try UVPipe(on: clients)
                try client.connect(to: name) { _ in
                    try? client.startReading { _, event in if case .end = event { ended += 1 } }
                }
                highest = max(highest, try client.withUnsafeDescriptor { $0 })
            }
            // Leaves enough descriptors to accept three of the twenty clients.
            try DescriptorLimit.set(soft: Int(highest) + 4)
            for _ in 0..<50 {
                try loop.run(.noWait)
                try clients.run(.noWait)
            }
            // The other clients were accepted and closed, and each received end of stream. The callback ran at most
            // once for each client.
            #expect(streams.count <= 4)
            #expect(calls <= 20)
            #expect(errors <= 1)
            #expect(ended >= 16)
            try clients.close()
            try loop.close()
        }
    }
}
