internal import CLibUV

/// The file of a Unix domain socket.
///
/// A path is resolved each time it is used. The working directory may have changed since the socket was bound, and
/// another process, for example a restarted server, may have replaced the file. Therefore this structure keeps an
/// absolute path together with the file's identity (its device and inode), and uses the path only while it still leads
/// to the same file. The kernel does not reuse the identity as long as the socket is open.
struct SocketFile {
    private let path: [CChar]
    private let device: dev_t
    private let inode: ino_t

    /// Finds the file of a socket that has just been bound, or returns `nil` if the name is not a path or the file does
    /// not exist.
    init?(_ name: UVPipeName) {
        guard let first = name.bytes.first, first != 0 else { return nil }
        var path = name.bytes.map { CChar(bitPattern: $0) } + [0]
        if first != UInt8(ascii: "/") {
            guard let directory = unsafe getcwd(nil, 0) else { return nil }
            defer { unsafe free(directory) }
            let length = unsafe strlen(directory)
            let prefix = unsafe Array(UnsafeBufferPointer(start: directory, count: length))
            path = prefix + [CChar(UInt8(ascii: "/"))] + path
        }
        guard let status = SocketFile.status(of: path) else { return nil }
        (self.path, device, inode) = (path, status.st_dev, status.st_ino)
    }

    private static func status(of path: [CChar]) -> stat? {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? status : nil
    }

    /// The file's status, or `nil` if the path leads to another file or to no file.
    private var current: stat? {
        guard let status = SocketFile.status(of: path), status.st_dev == device, status.st_ino == inode else {
            return nil
        }
        return status
    }

    /// Removes the file, unless another file has replaced it.
    ///
    /// The socket must still be open.
    func remove() {
        if current != nil { unsafe unlink(path) }
    }

    /// Adds permissions to those of the file.
    ///
    /// - Throws: `noSuchFile` if the file has been removed or replaced; another error if `chmod` fails.
    func add(_ permissions: mode_t, _ operation: String) throws(UVError) {
        guard let status = current else { throw UVError(.noSuchFile, operation: operation) }
        let mode = status.st_mode & 0o7777
        if mode & permissions == permissions { return }
        if unsafe chmod(path, mode | permissions) != 0 { throw UVError(code: -cuv_errno(), operation: operation) }
    }
}
