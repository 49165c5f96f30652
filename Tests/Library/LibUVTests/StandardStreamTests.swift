import Foundation
import LibUV
import SystemCalls
import Testing

/// Tests of opening a descriptor as a stream of the matching type.
///
/// docs/behaviours.md lists the pitfalls by number.
@Suite(.timeLimit(.minutes(1))) struct StandardStreamTests {
    @Test func aDescriptorIsOpenedAsWhatItIs() throws {
        try withLoop { loop in
            let listener = try ListeningSocket(address: .loopback(port: 0), backlog: 4, isNonBlocking: false)
            let tcp = try StreamSocket.connect(to: try listener.localAddress, timeout: .seconds(5)).release()
            let (one, other) = try UVPipe.pair(on: loop)
            let local = dup(try one.withUnsafeDescriptor { $0 })
            let (reading, writing) = try UVPipe.oneWay(on: loop)
            let pipe = dup(try reading.withUnsafeDescriptor { $0 })
            let screen = try PseudoTerminal()
            for (descriptor, type) in [(tcp, "tcp"), (local, "pipe"), (pipe, "pipe"), (screen.terminal, "tty")] {
                let stream = try loop.adopt(descriptor: descriptor)
                #expect(stream.typeName == type)
                #expect(stream is UVTCPStream == (type == "tcp"))
                #expect(stream is UVTTY == (type == "tty"))
                stream.close()
            }
            for handle in [one, other, reading, writing] { handle.close() }
            try loop.run()
            screen.hangUp()
        }
    }

    /// Pitfall 28: a descriptor that is not a stream still belongs to the caller.
    @Test func whatIsNoStreamIsRefused() throws {
        try withLoop { loop in
            let datagrams = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
            let file = unsafe open("/etc/passwd", O_RDONLY | O_CLOEXEC)
            let directory = unsafe open("/", O_RDONLY | O_CLOEXEC)
            let kinds = [UVDescriptorKind.udp, .file, .unknown]
            for (descriptor, kind) in zip([datagrams, file, directory], kinds) {
                #expect(UVDescriptorKind(of: descriptor) == kind)
                #expect(throws: UVError(.notSupported, operation: "uv_guess_handle")) {
                    try loop.adopt(descriptor: descriptor)
                }
                #expect(close(descriptor) == 0)
            }
            #expect(throws: UVError(.badDescriptor, operation: "uv_guess_handle")) { try loop.adopt(descriptor: -1) }
            try loop.run()
        }
    }

    /// Runs in its own process, whose standard input and output are pipes.
    @Test func inputAndOutputArePipes() async {
        await #expect(processExitsWith: .success) {
            try withLoop { loop in
                let (near, far) = try UVPipe.pair(on: loop)
                let (input, writing) = try UVPipe.oneWay(on: loop)
                try input.withUnsafeDescriptor { #expect(dup2($0, 0) == 0) }
                try far.withUnsafeDescriptor { #expect(dup2($0, 1) == 1) }
                #expect(UVStandardStream.input.kind == .pipe && UVStandardStream.output.kind == .pipe)
                let standardInput = try UVStandardStream.input.open(on: loop)
                let standardOutput = try UVStandardStream.output.open(on: loop)
                for handle in [input, far] { handle.close() }
                let collected = Collected()
                try near.collect(collected)
                try standardInput.startReading { stream, event in
                    switch event {
                    case .bytes(let bytes):
                        let copy = stream.makeBuffer(capacity: bytes.count) { output in
                            for index in bytes.indices { output.append(bytes[index]) }
                        }
                        try? standardOutput.write(copy)
                    case .end:
                        stream.close()
                        try? standardOutput.shutdown { _ in standardOutput.close() }
                    default: break
                    }
                }
                try writing.write(writing.buffer("hello\n")) { _ in writing.close() }
                try loop.run()
                #expect(collected.text == "hello\n" && collected.endCount == 1)
                // Closing a standard stream leaves its descriptor open.
                #expect(fcntl(0, F_GETFD) >= 0 && fcntl(1, F_GETFD) >= 0)
            }
        }
    }

    /// Runs in its own process, whose standard input is first `/dev/null`, then closed, and then a terminal.
    @Test func inputMayBeAFileNothingOrATerminal() async {
        await #expect(processExitsWith: .success) {
            try withLoop { loop in
                let screen = try PseudoTerminal()
                let file = unsafe open("/dev/null", O_RDONLY)
                #expect(dup2(file, 0) == 0)
                #expect(UVStandardStream.input.kind == .file)
                #expect(throws: UVError(.notSupported, operation: "uv_guess_handle")) {
                    try UVStandardStream.input.open(on: loop)
                }
                close(0)
                #expect(UVStandardStream.input.kind == .unknown)
                #expect(throws: UVError(.badDescriptor, operation: "uv_guess_handle")) {
                    try UVStandardStream.input.open(on: loop)
                }
                #expect(dup2(screen.terminal, 0) == 0)
                let stream = try UVStandardStream.input.open(on: loop)
                let collected = Collected()
                try stream.collect(collected)
                try screen.type("line\n")
                while collected.bytes.count < 5 { try loop.run(.once) }
                #expect((stream as? UVTTY)?.mode == .normal)
                stream.close()
                try loop.run()
                #expect(fcntl(0, F_GETFD) >= 0)
            }
        }
    }
}
