import Glibc

// Descriptors of the tests' own, made without LibUV.

struct SystemFailure: Error { let code = errno }

/// Two connected local sockets, closed with the object.
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

/// The two ends of a pipe, closed with the object.
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

/// What a descriptor refers to: tells whether its number has been given to something else since; `nil` where it is closed.
func identity(of descriptor: Int32) -> UInt64? {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 ? UInt64(status.st_ino) : nil
}

/// Closes a descriptor and gives its number to another one, at once: no thread can take it in between.
func replace(_ descriptor: Int32, by other: Int32) throws {
    guard dup2(other, descriptor) == descriptor else { throw SystemFailure() }
    close(other)
}

func closeDescriptor(_ descriptor: Int32) { close(descriptor) }

/// A socket for datagrams, which is not bound.
func makeDatagramDescriptor() throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    guard descriptor >= 0 else { throw SystemFailure() }
    return descriptor
}

/// A socket's option, as the kernel has it.
func socketOption(_ descriptor: Int32, _ level: Int32, _ name: Int32) throws -> Int32 {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(descriptor, level, name, &value, &length) == 0 else { throw SystemFailure() }
    return value
}

func reusesAddress(_ descriptor: Int32) throws -> Bool { try socketOption(descriptor, SOL_SOCKET, SO_REUSEADDR) != 0 }

func sharesPort(_ descriptor: Int32) throws -> Bool { try socketOption(descriptor, SOL_SOCKET, SO_REUSEPORT) != 0 }

/// The options of a datagram socket that its own methods set.
func multicastOptions(_ descriptor: Int32) throws -> [Int32] {
    let ip = Int32(IPPROTO_IP)
    return [
        try socketOption(descriptor, ip, IP_TTL), try socketOption(descriptor, ip, IP_MULTICAST_TTL),
        try socketOption(descriptor, ip, IP_MULTICAST_LOOP), try socketOption(descriptor, SOL_SOCKET, SO_BROADCAST),
    ]
}

/// Writes bytes to a descriptor; how many were taken, or -1 where none.
@discardableResult
func writeBytes(_ count: Int, to descriptor: Int32) -> Int {
    let bytes = [UInt8](repeating: 7, count: count)
    return unsafe write(descriptor, bytes, count)
}

/// Reads up to some bytes; how many came: 0 at the end, or -1 where there are none.
func readBytes(_ count: Int, from descriptor: Int32) -> Int {
    var bytes = [UInt8](repeating: 0, count: count)
    return unsafe read(descriptor, &bytes, count)
}

/// Ends one side of a socket.
func endSending(_ descriptor: Int32) { shutdown(descriptor, Int32(SHUT_WR)) }

/// Sends a byte that overtakes others.
func sendUrgentByte(_ descriptor: Int32) -> Bool {
    let byte: [UInt8] = [1]
    return unsafe send(descriptor, byte, 1, Int32(MSG_OOB)) == 1
}

/// A regular file's descriptor, which no poller can watch.
func openRegularFile() throws -> Int32 {
    let descriptor = unsafe open("/proc/self/exe", O_RDONLY)
    guard descriptor >= 0 else { throw SystemFailure() }
    return descriptor
}
