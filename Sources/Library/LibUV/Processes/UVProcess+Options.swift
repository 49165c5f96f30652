extension UVProcess {
    /// The program to run, and its options (`uv_process_options_t`).
    public struct Options {
        /// The program, as a path or as a name that is searched for in the `PATH` of the child's environment.
        public var program: String

        /// The arguments of the program, without its name.
        public var arguments: [String]

        /// The arguments as bytes, which need not be UTF-8, or `nil` to use `arguments`.
        public var rawArguments: [[UInt8]]?

        /// The name that the program gets as its `argv[0]`, or `nil` to use `program`.
        public var name: String?

        /// The complete environment of the child, or `nil` to inherit the environment of this process.
        public var environment: [String: String]?

        /// The complete environment of the child as bytes, which need not be UTF-8, or `nil` to use `environment`.
        ///
        /// Each entry has the form `NAME=value`.
        public var rawEnvironment: [[UInt8]]?

        /// The working directory of the child, or `nil` to inherit that of this process.
        public var workingDirectory: String?

        /// The user as which the child runs (`UV_PROCESS_SETUID`).
        ///
        /// Setting the user requires a privilege. It also requires `groupID` or `keepsGroupID`, because otherwise a
        /// child that runs as another user would keep this process's group, for example root's group.
        public var userID: UInt32?

        /// The group as which the child runs (`UV_PROCESS_SETGID`).
        ///
        /// Setting the group requires a privilege. If the user or the group is set, libuv removes the supplementary
        /// groups, unless this process lacks the privilege for that.
        public var groupID: UInt32?

        /// Whether a child with a `userID` and without a `groupID` keeps the group of this process.
        ///
        /// If it is `false`, options with a `userID` and without a `groupID` are invalid.
        public var keepsGroupID = false

        /// Whether the child leads a new session and a new process group (`UV_PROCESS_DETACHED`).
        ///
        /// A detached child can continue after this process and its terminal have ended. `UVLoop.close` does not kill
        /// it.
        ///
        /// Call `unref` on the `UVProcess` to allow `run` to return before the child has ended.
        public var isDetached: Bool

        /// Whether only the descriptors in `descriptors` are open in the child.
        ///
        /// By default, a child also inherits every descriptor of this process that other code has opened without
        /// close-on-exec. libuv has no function to prevent this for one child. If this property is `true`, the library
        /// therefore marks all descriptors of this process above 2 close-on-exec, directly before it starts the child
        /// (`close_range`). The descriptors stay marked, so they are not inherited by programs that other code starts,
        /// or by a program that replaces this one (`exec`). A descriptor that another thread opens at the same time may
        /// still reach the child.
        public var marksDescriptorsCloseOnExec = false

        /// The child's descriptors 0, 1, 2 and so on.
        ///
        /// If one of the first three is missing, it is `ignored`.
        public var descriptors: [Descriptor]

        /// A descriptor of a child (`uv_stdio_container_t`).
        public enum Descriptor {
            /// The null device for the first three descriptors, or a closed descriptor for others (`UV_IGNORE`).
            case ignored
            /// The same open file as a descriptor of this process, which the caller still owns (`UV_INHERIT_FD`).
            case inherited(Int32)
            /// The same open file as a stream, which still owns its descriptor (`UV_INHERIT_STREAM`).
            case stream(UVStream)
            /// One end of a new connection. The given `UVPipe` becomes the other end (`UV_CREATE_PIPE`).
            ///
            /// The pipe must belong to the same loop as the process, and must have no descriptor yet. The caller reads,
            /// writes and closes it. If the process cannot be started, the pipe cannot be used, but the caller must
            /// still close it.
            ///
            /// If the child only writes and the pipe does not pass handles, the connection is a system pipe
            /// (`uv_pipe`). Otherwise it is a local socket, which the child cannot open again by a name such as
            /// `/dev/stdin`. For a child that opens such a name, make a pipe with `UVPipe.oneWay`, pass one end as
            /// `stream`, and close that end once the process has started.
            case pipe(UVPipe, child: PipeAccess)
        }

        /// How a child uses its end of a pipe.
        public enum PipeAccess: Hashable, Sendable {
            /// The child reads what this process writes (`UV_READABLE_PIPE`).
            case reads
            /// The child writes what this process reads (`UV_WRITABLE_PIPE`).
            case writes
            /// The child reads and writes.
            case readsAndWrites
        }

        /// Makes options.
        ///
        /// By default, the first three descriptors are `ignored`, and everything else is inherited from this process.
        public init(
            program: String, arguments: [String] = [], name: String? = nil, environment: [String: String]? = nil,
            workingDirectory: String? = nil, userID: UInt32? = nil, groupID: UInt32? = nil, isDetached: Bool = false,
            descriptors: [Descriptor] = []
        ) {
            self.program = program
            self.arguments = arguments
            self.name = name
            self.environment = environment
            self.workingDirectory = workingDirectory
            self.userID = userID
            self.groupID = groupID
            self.isDetached = isDetached
            self.descriptors = descriptors
        }

        /// The child's standard input, descriptor 0.
        public var standardInput: Descriptor {
            get { self[0] }
            set { self[0] = newValue }
        }

        /// The child's standard output, descriptor 1.
        public var standardOutput: Descriptor {
            get { self[1] }
            set { self[1] = newValue }
        }

        /// The child's standard error, descriptor 2.
        public var standardError: Descriptor {
            get { self[2] }
            set { self[2] = newValue }
        }

        private subscript(number: Int) -> Descriptor {
            get { descriptors.indices.contains(number) ? descriptors[number] : .ignored }
            set {
                while descriptors.count <= number { descriptors.append(.ignored) }
                descriptors[number] = newValue
            }
        }
    }
}
