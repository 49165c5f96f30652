internal import CLibUV

/// The options of a process in libuv's form, and the memory that they point to.
@safe
final class SystemProcessOptions {
    private typealias Text = UnsafeMutablePointer<CChar>

    private var options = unsafe uv_process_options_t()
    /// The C strings, which must be freed.
    private var texts: [Text?] = unsafe []
    private var lists: [UnsafeMutablePointer<Text?>] = unsafe []
    private let containers: UnsafeMutableBufferPointer<uv_stdio_container_t>
    /// The child's descriptors.
    ///
    /// The streams among them must stay alive until the process has been made.
    private let descriptors: [UVProcess.Options.Descriptor]
    /// The child's ends of the pipes, which `deinit` closes.
    private var childEnds: [Int32] = []

    /// - Throws: `invalidArgument` if a text contains a zero byte, a variable has an invalid name, a user is given
    ///   without a group, or a pipe is closing or belongs to another loop; `busy` if a pipe already has a descriptor or
    ///   is given twice; the error if a pipe cannot be made.
    init(_ source: UVProcess.Options, on loop: UVLoop) throws(UVError) {
        try SystemProcessOptions.checkPipes(source.descriptors, on: loop)
        if source.userID != nil, source.groupID == nil, !source.keepsGroupID {
            throw UVError(.invalidArgument, operation: "uv_spawn", detail: "userID without groupID or keepsGroupID")
        }
        let variables = try SystemProcessOptions.variables(source)
        let arguments = source.rawArguments ?? source.arguments.map { Array($0.utf8) }
        let (program, name) = (Array(source.program.utf8), Array((source.name ?? source.program).utf8))
        let directory = source.workingDirectory.map { Array($0.utf8) }
        for text in [program, name, directory ?? []] + arguments + (variables ?? []) where text.contains(0) {
            throw UVError(.invalidArgument, operation: "uv_spawn", detail: "a text contains a zero byte")
        }
        descriptors = source.descriptors
        unsafe containers = .allocate(capacity: source.descriptors.count)
        unsafe containers.initialize(repeating: uv_stdio_container_t())
        unsafe options.exit_cb = Trampolines.onExit
        unsafe options.file = unsafe UnsafePointer(copy(program))
        unsafe options.args = copy([name] + arguments)
        if let variables { unsafe options.env = copy(variables) }
        if let directory { unsafe options.cwd = unsafe UnsafePointer(copy(directory)) }
        unsafe options.stdio_count = Int32(containers.count)
        unsafe options.stdio = containers.baseAddress
        setIdentity(source)
        // This step is last, because it changes the program's handles, which must stay unchanged if an option is
        // invalid.
        for (index, descriptor) in source.descriptors.enumerated() {
            unsafe containers[index] = unsafe try container(descriptor)
        }
    }

    deinit {
        unsafe texts.forEach { unsafe $0?.deallocate() }
        unsafe lists.forEach { unsafe $0.deallocate() }
        childEnds.forEach { SystemDescriptor.close($0) }
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

    /// Returns the environment in the form `NAME=value`, or `nil` if the child inherits it.
    private static func variables(_ source: UVProcess.Options) throws(UVError) -> [[UInt8]]? {
        let equals = UInt8(ascii: "=")
        if let raw = source.rawEnvironment {
            for entry in raw {
                guard let end = entry.firstIndex(of: equals), end > 0 else {
                    throw UVError(.invalidArgument, operation: "uv_spawn", detail: "a variable has no name")
                }
            }
            return raw
        }
        guard let environment = source.environment else { return nil }
        var variables: [[UInt8]] = []
        for (name, value) in environment {
            guard !name.isEmpty, !name.utf8.contains(equals) else {
                throw UVError(.invalidArgument, operation: "uv_spawn", detail: "a variable has an invalid name")
            }
            variables.append(Array("\(name)=\(value)".utf8))
        }
        return variables
    }

    private func container(_ descriptor: UVProcess.Options.Descriptor) throws(UVError) -> uv_stdio_container_t {
        var container = unsafe uv_stdio_container_t()
        switch descriptor {
        case .ignored: unsafe container.flags = UV_IGNORE
        case .inherited(let number):
            unsafe container.flags = UV_INHERIT_FD
            unsafe container.data.fd = number
        case .stream(let stream):
            unsafe container.flags = UV_INHERIT_STREAM
            unsafe container.data.stream = unsafe stream.stream
        case .pipe(let pipe, .writes) where !pipe.passesHandles:
            let end = try ChildPipe.make(pipe, childWrites: true)
            childEnds.append(end)
            unsafe container.flags = UV_INHERIT_FD
            unsafe container.data.fd = end
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

    private func copy(_ text: [UInt8]) -> Text? {
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: text.count + 1)
        for (index, byte) in text.enumerated() { unsafe (copy + index).initialize(to: CChar(bitPattern: byte)) }
        unsafe (copy + text.count).initialize(to: 0)
        unsafe texts.append(copy)
        return unsafe copy
    }

    /// Returns a list of C strings, terminated by `nil`.
    private func copy(_ strings: [[UInt8]]) -> UnsafeMutablePointer<Text?> {
        let list = UnsafeMutablePointer<Text?>.allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() { unsafe (list + index).initialize(to: copy(string)) }
        unsafe (list + strings.count).initialize(to: nil)
        unsafe lists.append(list)
        return unsafe list
    }
}
