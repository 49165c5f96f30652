internal import CLibUV

/// A processor of the machine (`uv_cpu_info_t`).
public struct UVProcessor: Hashable, Sendable {
    /// Its maker's name for it.
    public let model: String

    /// Its speed in MHz; 0 where it cannot be told.
    public let megahertz: Int

    /// What it has spent its time with since the machine's start, in milliseconds.
    public let times: Times

    /// A processor's time by what it was spent with.
    public struct Times: Hashable, Sendable {
        /// With programs.
        public let user: Duration
        /// With programs of low priority.
        public let nice: Duration
        /// With the kernel.
        public let system: Duration
        /// With nothing.
        public let idle: Duration
        /// With interrupts.
        public let interrupts: Duration

        init(_ times: uv_cpu_times_s) {
            user = .milliseconds(times.user)
            nice = .milliseconds(times.nice)
            system = .milliseconds(times.sys)
            idle = .milliseconds(times.idle)
            interrupts = .milliseconds(times.irq)
        }
    }
}

extension UVSystem {
    /// The machine's processors (`uv_cpu_info`), which may be more than the process may use.
    ///
    /// - Throws: what the system answered, as where `/proc` cannot be read.
    public static var processors: [UVProcessor] {
        get throws(UVError) {
            var list: UnsafeMutablePointer<uv_cpu_info_t>?
            var count: Int32 = 0
            try unsafe check(uv_cpu_info(&list, &count), "uv_cpu_info")
            defer { unsafe uv_free_cpu_info(list, count) }
            return unsafe UnsafeBufferPointer(start: list, count: Int(count)).map { processor in
                unsafe UVProcessor(
                    model: processor.model.map { unsafe String(cString: $0) } ?? "",
                    megahertz: Int(processor.speed), times: UVProcessor.Times(processor.cpu_times))
            }
        }
    }
}
