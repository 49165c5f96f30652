internal import CLibUV

/// The options of a process in the form of libuv, with the memory to which they refer.
@safe
final class SystemProcessOptions {
    private typealias Text = UnsafeMutablePointer<CChar>

    private var options = unsafe uv_process_options_t()
    /// The C strings, which must be freed.
    private var texts: [Text?] = unsafe []
    private var lists: [UnsafeMutablePointer<Text?>] = unsafe []
    private let containers: UnsafeMutableBufferPointer<uv_stdio_container_t>
    /// The descriptors, whose streams must stay alive until the process has been made.
    private let descriptors: [UVProcess.Options.Descriptor]

    /// - Throws: `invalidArgument` if a text contains a zero byte, a variable has no name, or a pipe cannot be this
    ///   process's end; `busy` if a pipe already has a descriptor.
    init(_ source: UVProcess.Options, on loop: UVLoop) throws(UVError) {
        try SystemProcessOptions.checkPipes(source.descriptors, on: loop)
        let variables = try SystemProcessOptions.variables(source.environment)
        let name = source.name ?? source.program
        try CStrings.check(
            [source.program, name, source.workingDirectory ?? ""] + source.arguments + (variables ?? []), "uv_spawn")
        descriptors = source.descriptors
        unsafe containers = .allocate(capacity: source.descriptors.count)
        for (index, descriptor) in source.descriptors.enumerated() {
            unsafe containers.initializeElement(at: index, to: SystemProcessOptions.container(descriptor))
        }
        unsafe options.exit_cb = Trampolines.onExit
        unsafe options.file = unsafe UnsafePointer(copy(source.program))
        unsafe options.args = copy([name] + source.arguments)
        if let variables { unsafe options.env = copy(variables) }
        if let directory = source.workingDirectory { unsafe options.cwd = unsafe UnsafePointer(copy(directory)) }
        unsafe options.stdio_count = Int32(containers.count)
        unsafe options.stdio = containers.baseAddress
        setIdentity(source)
    }

    deinit {
        unsafe texts.forEach { unsafe free($0) }
        unsafe lists.forEach { unsafe $0.deallocate() }
        unsafe containers.deallocate()
    }

    /// Makes the process (`uv_spawn`).
    ///
    /// The call initialises the handle even if it fails.
    func spawn(_ loop: UnsafeMutablePointer<uv_loop_t>, _ process: UnsafeMutablePointer<uv_process_t>) -> Int32 {
        withExtendedLifetime(descriptors) { unsafe uv_spawn(loop, process, &options) }
    }

    private func setIdentity(_ source: UVProcess.Options) {
        var flags: UInt32 = 0
        if let userID = source.userID {
            flags |= UV_PROCESS_SETUID.rawValue
            unsafe options.uid = userID
        }
        if let groupID = source.groupID {
            flags |= UV_PROCESS_SETGID.rawValue
            unsafe options.gid = groupID
        }
        if source.isDetached { flags |= UV_PROCESS_DETACHED.rawValue }
        unsafe options.flags = flags
    }

    /// Returns an environment in the form `NAME=value`.
    private static func variables(_ environment: [String: String]?) throws(UVError) -> [String]? {
        guard let environment else { return nil }
        var variables: [String] = []
        for (name, value) in environment {
            guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "=")) else {
                throw UVError(.invalidArgument, operation: "uv_spawn")
            }
            variables.append("\(name)=\(value)")
        }
        return variables
    }

    private static func container(_ descriptor: UVProcess.Options.Descriptor) -> uv_stdio_container_t {
        var container = unsafe uv_stdio_container_t()
        switch descriptor {
        case .ignored: unsafe container.flags = UV_IGNORE
        case .inherited(let number):
            unsafe container.flags = UV_INHERIT_FD
            unsafe container.data.fd = number
        case .stream(let stream):
            unsafe container.flags = UV_INHERIT_STREAM
            unsafe container.data.stream = unsafe stream.stream
        case .pipe(let pipe, let access):
            var flags = UV_CREATE_PIPE.rawValue
            if access != .writes { flags |= UV_READABLE_PIPE.rawValue }
            if access != .reads { flags |= UV_WRITABLE_PIPE.rawValue }
            unsafe container.flags = uv_stdio_flags(flags)
            unsafe container.data.stream = unsafe pipe.stream
        }
        return unsafe container
    }

    /// Throws an error for invalid pipes.
    ///
    /// libuv would check them only after starting the child.
    private static func checkPipes(
        _ descriptors: [UVProcess.Options.Descriptor], on loop: UVLoop
    ) throws(UVError) {
        var seen: Set<ObjectIdentifier> = []
        for case .pipe(let pipe, _) in descriptors {
            guard pipe.loop === loop, !pipe.isClosing else {
                throw UVError(.invalidArgument, operation: "uv_spawn")
            }
            guard !pipe.hasDescriptor, seen.insert(ObjectIdentifier(pipe)).inserted else {
                throw UVError(.busy, operation: "uv_spawn")
            }
        }
    }

    private func copy(_ text: String) -> Text? {
        let copy = unsafe strdup(text)
        unsafe texts.append(copy)
        return unsafe copy
    }

    /// Returns a list of C strings, terminated by `nil`.
    private func copy(_ strings: [String]) -> UnsafeMutablePointer<Text?> {
        let list = UnsafeMutablePointer<Text?>.allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() { unsafe (list + index).initialize(to: copy(string)) }
        unsafe (list + strings.count).initialize(to: nil)
        unsafe lists.append(list)
        return unsafe list
    }
}
