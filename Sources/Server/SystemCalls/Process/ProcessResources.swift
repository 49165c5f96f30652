internal import Glibc

/// The resources that this process uses, for its metrics.
public struct ProcessResources: Hashable, Sendable {
    /// The processor time of all threads, including threads that have ended.
    public let processorTime: Duration

    /// Resident memory in bytes.
    public let residentBytes: Int

    /// Mapped memory in bytes.
    public let virtualBytes: Int

    /// The start time in seconds since 1970, to a hundredth of a second.
    public let startTime: Double

    /// The number of open descriptors, or `nil` if no descriptor is free to count them with.
    public let openDescriptorCount: Int?

    /// The limit on open descriptors.
    public let descriptorLimit: Int

    /// Reads the kernel's counts (`/proc/self`, `/proc/stat`, `getrlimit`).
    ///
    /// - Throws: `EMFILE` if no descriptor is free.
    public static func current() throws(SystemCallError) -> ProcessResources {
        // The program's name, in parentheses, may contain any character; the numbers follow it.
        let stat = try TextFile.read("/proc/self/stat")
        let fields = (stat.split(separator: ")").last ?? "").split(separator: " ").map { Int($0) ?? 0 }
        // The first of these is field 3 of the file.
        func field(_ number: Int) -> Int { fields.indices.contains(number - 3) ? fields[number - 3] : 0 }
        return ProcessResources(
            processorTime: try ProcessUsage.processorTime(of: ProcessUsage.ownIdentifier),
            residentBytes: field(24) * Int(getpagesize()), virtualBytes: field(23),
            startTime: try bootTime() + Double(field(22)) / Double(max(1, sysconf(Int32(_SC_CLK_TCK)))),
            // Without the descriptor that counts them.
            openDescriptorCount: (try? TextFile.names(in: "/proc/self/fd")).map { $0.count - 1 },
            descriptorLimit: try DescriptorLimit.current().soft)
    }

    /// The boot time of the machine in seconds since 1970.
    private static func bootTime() throws(SystemCallError) -> Double {
        Double(ProcessUsage.number(named: "btime ", in: try TextFile.read("/proc/stat")))
    }
}
