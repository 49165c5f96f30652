import CDispatch
import Foundation
import Glibc
import Testing

// Descriptors that the tests create without LibUV.

struct SystemFailure: Error { let code = errno }

/// Two connected local sockets.
///
/// The descriptors are closed when the object is released.
final class LocalPair {
    let first: Int32
    let second: Int32

    init() throws {
        var pair: [Int32] = [-1, -1]
        guard unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0 else { throw SystemFailure() }
        (first, second) = (pair[0], pair[1])
    }

    deinit {
        close(first)
        close(second)
    }
}

/// The two ends of a pipe.
///
/// The descriptors are closed when the object is released.
final class PipePair {
    let reader: Int32
    let writer: Int32
    private var isReaderClosed = false

    init() throws {
        var pair: [Int32] = [-1, -1]
        guard unsafe pipe(&pair) == 0 else { throw SystemFailure() }
        (reader, writer) = (pair[0], pair[1])
    }

    deinit {
        close(writer)
        if !isReaderClosed { close(reader) }
    }

    func closeReader() {
        isReaderClosed = true
        close(reader)
    }
}

func isOpen(_ descriptor: Int32) -> Bool { fcntl(descriptor, F_GETFD) >= 0 }

/// Returns the inode number of a descriptor, or `nil` if the descriptor is closed.
///
/// Tests compare inode numbers to detect that a descriptor's number has been reused.
func identity(of descriptor: Int32) -> UInt64? {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 ? UInt64(status.st_ino) : nil
}

/// Closes a descriptor, and gives its number to another descriptor in the same step.
///
/// No other thread can take the number in between.
func replace(_ descriptor: Int32, by other: Int32) throws {
    guard dup2(other, descriptor) == descriptor else { throw SystemFailure() }
    close(other)
}

/// Runs a test in a copy of the process that has only the calling thread, and exits as the copy does.
///
/// It is for tests that depend on which descriptors are free, because the threads of Dispatch open a file in `/proc` once
/// per second, and end the process if they cannot. The copy is ended after 45 seconds. Under Thread Sanitizer, the test
/// does not run: Thread Sanitizer does not support threads after a fork, and finds nothing in the only thread of the copy.
func inACopyWithoutThreads(_ test: () throws -> Void) throws -> Never {
    if isThreadSanitized { exit(0) }
    // Swift's module for the C library does not offer `fork`.
    typealias Fork = @convention(c) () -> pid_t
    guard let symbol = unsafe dlsym(nil, "fork") else { throw SystemFailure() }
    // The parent prints what the copy writes to standard error, for example the message of a failed assertion.
    let errors = try PipePair()
    let copy = unsafe unsafeBitCast(symbol, to: Fork.self)()
    guard copy != 0 else {
        dup2(errors.writer, STDERR_FILENO)
        close(errors.reader)
        close(errors.writer)
        alarm(45)
        do { try test() } catch {
            Issue.record(error)
            _exit(1)
        }
        _exit(0)
    }
    close(errors.writer)
    let text = try FileHandle(fileDescriptor: errors.reader).readToEnd() ?? Data()
    var status: Int32 = -1
    while unsafe waitpid(copy, &status, 0) < 0 {
        guard errno == EINTR else { throw SystemFailure() }
    }
    let message = String(decoding: text, as: UTF8.self)
    try #require(status == 0, "the copy ended with the wait status \(status); 14 is its time limit: \(message)")
    exit(0)
}

func closeDescriptor(_ descriptor: Int32) { close(descriptor) }

/// Creates an unbound datagram socket.
func makeDatagramDescriptor() throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    guard descriptor >= 0 else { throw SystemFailure() }
    return descriptor
}

/// Returns the value of a socket option.
func socketOption(_ descriptor: Int32, _ level: Int32, _ name: Int32) throws -> Int32 {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(descriptor, level, name, &value, &length) == 0 else { throw SystemFailure() }
    return value
}

func reusesAddress(_ descriptor: Int32) throws -> Bool { try socketOption(descriptor, SOL_SOCKET, SO_REUSEADDR) != 0 }

func sharesPort(_ descriptor: Int32) throws -> Bool { try socketOption(descriptor, SOL_SOCKET, SO_REUSEPORT) != 0 }

/// Returns the values of those socket options that `UVUDP` can set.
func multicastOptions(_ descriptor: Int32) throws -> [Int32] {
    let ip = Int32(IPPROTO_IP)
    return [
        try socketOption(descriptor, ip, IP_TTL), try socketOption(descriptor, ip, IP_MULTICAST_TTL),
        try socketOption(descriptor, ip, IP_MULTICAST_LOOP), try socketOption(descriptor, SOL_SOCKET, SO_BROADCAST),
    ]
}

/// Writes `count` bytes to a descriptor.
///
/// Returns the number of bytes that the kernel accepted, or -1 if the call failed.
@discardableResult
func writeBytes(_ count: Int, to descriptor: Int32) -> Int {
    let bytes = [UInt8](repeating: 7, count: count)
    return unsafe write(descriptor, bytes, count)
}

/// Reads up to `count` bytes.
///
/// Returns the number of bytes read, 0 at end of file, or -1 if the call failed.
func readBytes(_ count: Int, from descriptor: Int32) -> Int {
    var bytes = [UInt8](repeating: 0, count: count)
    return unsafe read(descriptor, &bytes, count)
}

/// Shuts down the write side of a socket.
func endSending(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_WR)) }

/// Sends a byte of urgent data.
func sendUrgentByte(_ descriptor: Int32) -> Bool {
    let byte: [UInt8] = [1]
    return unsafe send(descriptor, byte, 1, Int32(MSG_OOB)) == 1
}

/// Opens a regular file, which no poller can watch.
func openRegularFile() throws -> Int32 {
    let descriptor = unsafe open("/proc/self/exe", O_RDONLY)
    guard descriptor >= 0 else { throw SystemFailure() }
    return descriptor
}
