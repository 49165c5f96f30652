extension UVProcess {
    /// What to run, and how (`uv_process_options_t`).
    public struct Options {
        /// The program: a path, or a name that is looked for in the `PATH` of the child's environment.
        public var program: String

        /// The program's arguments, its name not among them.
        public var arguments: [String]

        /// What the program is told as its name, its `argv[0]`; `nil` means `program`.
        public var name: String?

        /// All of the child's environment; `nil` gives it this process'.
        public var environment: [String: String]?

        /// The child's working directory; `nil` gives it this process'.
        public var workingDirectory: String?

        /// The user that the child runs as; takes a privilege (`UV_PROCESS_SETUID`).
        public var userID: UInt32?

        /// The group that the child runs as; takes a privilege (`UV_PROCESS_SETGID`).
        public var groupID: UInt32?

        /// Whether the child leads a session and a group of its own, so that it may outlive this process and its
        /// terminal (`UV_PROCESS_DETACHED`).
        ///
        /// `unref` the process, to let the loop's `run` end before it does.
        public var isDetached: Bool

        /// What the child has as its descriptors 0, 1, 2 and so on; what is missing of the first three is ignored.
        public var descriptors: [Descriptor]

        /// One of a child's descriptors (`uv_stdio_container_t`).
        public enum Descriptor {
            /// The null device for the first three, nothing for others (`UV_IGNORE`).
            case ignored
            /// The same file as a descriptor of this process, which stays the caller's (`UV_INHERIT_FD`).
            case inherited(Int32)
            /// The same file as an open stream's, which stays the stream's (`UV_INHERIT_STREAM`).
            case stream(UVStream)
            /// One end of a connection that is made for the child, the pipe being the other (`UV_CREATE_PIPE`).
            ///
            /// The pipe must be one on the process' loop that has no descriptor yet. It is the caller's to read, to write
            /// and to close; where the start fails it is of no further use, and is to be closed as well.
            case pipe(UVPipe, child: PipeAccess)
        }

        /// What a child does with its end of a pipe.
        public enum PipeAccess: Hashable, Sendable {
            /// It reads what this process writes (`UV_READABLE_PIPE`).
            case reads
            /// It writes what this process reads (`UV_WRITABLE_PIPE`).
            case writes
            /// Both.
            case readsAndWrites
        }

        /// Makes options; the first three descriptors are ignored, and all else is as in this process.
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

        /// What the child reads by default: its descriptor 0.
        public var standardInput: Descriptor {
            get { self[0] }
            set { self[0] = newValue }
        }

        /// What the child writes to by default: its descriptor 1.
        public var standardOutput: Descriptor {
            get { self[1] }
            set { self[1] = newValue }
        }

        /// Where the child reports what goes wrong: its descriptor 2.
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
