import CDispatch
import Foundation
import LibUV
import Testing

/// Tests of the files of Unix domain sockets, whose paths may lead elsewhere by the time the listener uses them.
@Suite(.timeLimit(.minutes(1))) struct SocketFileTests {
    /// A listener with a relative path removes its own file, even if the working directory has changed.
    @Test func aRelativePathIsRemovedAfterAChangeOfTheDirectory() async {
        await #expect(processExitsWith: .success) {
            let (first, second) = (temporaryPath(), temporaryPath())
            for path in [first, second] { try #require(unsafe mkdir(path, 0o700) == 0) }
            try UVCurrentProcess.changeWorkingDirectory(to: first)
            let loop = try UVLoop()
            let listener = try UVPipeListener(on: loop)
            try listener.bind(to: .path("x"))
            #expect(try listener.localName == .path("x"))
            try UVCurrentProcess.changeWorkingDirectory(to: second)
            // Another program's file, which has the same relative path.
            close(unsafe open("x", O_CREAT | O_WRONLY, 0o600))
            try listener.allowAllUsers(.writable)
            #expect(try mode(of: first + "/x") & 0o222 == 0o222)
            #expect(try mode(of: second + "/x") & 0o777 == 0o600)
            try loop.close()
            #expect(unsafe access(first + "/x", F_OK) != 0)
            #expect(unsafe access(second + "/x", F_OK) == 0)
            try FileManager.default.removeItem(atPath: first)
            try FileManager.default.removeItem(atPath: second)
        }
    }

    /// The old process of a restarted server does not remove the socket of the new one.
    @Test func theSocketOfANewListenerStays() throws {
        try withLoop { loop in
            let path = temporaryPath()
            let (old, new) = (try UVPipeListener(on: loop), try UVPipeListener(on: loop))
            try old.bind(to: .path(path))
            #expect(unsafe unlink(path) == 0)
            try new.bind(to: .path(path))
            try new.listen { _, _ in }
            #expect(throws: UVError(.noSuchFile, operation: "uv_pipe_chmod")) { try old.allowAllUsers(.readable) }
            old.close()
            while !old.isClosed { try loop.run(.noWait) }
            #expect(unsafe access(path, F_OK) == 0)
            var isConnected = false
            let client = try UVPipe(on: loop)
            try client.connect(to: .path(path)) { result in isConnected = (try? result.get()) != nil }
            while !isConnected { try loop.run(.once) }
            client.close()
            new.close()
            while !new.isClosed { try loop.run(.noWait) }
            #expect(unsafe access(path, F_OK) != 0)
        }
    }

    /// A regular file or a renamed socket is not removed.
    @Test func whatHasReplacedTheFileStays() throws {
        try withLoop { loop in
            let (path, moved) = (temporaryPath(), temporaryPath())
            let listener = try UVPipeListener(on: loop)
            try listener.bind(to: .path(path))
            #expect(unsafe rename(path, moved) == 0)
            close(unsafe open(path, O_CREAT | O_WRONLY, 0o600))
            listener.close()
            while !listener.isClosed { try loop.run(.noWait) }
            for path in [path, moved] { #expect(unsafe unlink(path) == 0) }
        }
    }

    /// A bind that fails leaves neither a file nor a descriptor.
    @Test func aBindThatFailsLeavesNothing() throws {
        try withLoop { loop in
            let path = temporaryPath()
            close(unsafe open(path, O_CREAT | O_WRONLY, 0o600))
            let listener = try UVPipeListener(on: loop)
            #expect(throws: UVError(.addressInUse, operation: "uv_pipe_bind")) { try listener.bind(to: .path(path)) }
            listener.close()
            while !listener.isClosed { try loop.run(.noWait) }
            #expect(unsafe unlink(path) == 0)
        }
    }
}

private func mode(of path: String) throws -> mode_t {
    var status = stat()
    try #require(unsafe stat(path, &status) == 0)
    return status.st_mode
}
