internal import Glibc

/// What this process has used and holds, as its own operator asks.
public struct ProcessResources: Hashable, Sendable {
    /// The time that its threads have spent on processors, those that have ended included.
    public let processorTime: Duration

    /// Memory in use that is in RAM, in bytes.
    public let residentBytes: Int

    /// Memory that is mapped, in bytes.
    public let virtualBytes: Int

    /// When it was started, in seconds since 1970, to a hundredth.
    public let startTime: Double

    /// How many descriptors are open; `nil` where there is none left to count them with.
    public let openDescriptorCount: Int?

    /// How many descriptors may be open.
    public let descriptorLimit: Int

    /// Reads them (`/proc/self`, `/proc/stat`, `getrlimit`).
    ///
    /// - Throws: `EMFILE` where no descriptor is left.
    public static func current() throws(SystemCallError) -> ProcessResources {
        // The name of the program, in parentheses, may have anything in it; the numbers stand behind it.
        let stat = try TextFile.read("/proc/self/stat")
        let fields = (stat.split(separator: ")").last ?? "").split(separator: " ").map { Int($0) ?? 0 }
        // The first of them is the third of the file.
        func field(_ number: Int) -> Int { fields.indices.contains(number - 3) ? fields[number - 3] : 0 }
        return ProcessResources(
            processorTime: try ProcessFigures.processorTime(of: ProcessFigures.ownIdentifier),
            residentBytes: field(24) * Int(getpagesize()), virtualBytes: field(23),
            startTime: try bootTime() + Double(field(22)) / Double(max(1, sysconf(Int32(_SC_CLK_TCK)))),
            openDescriptorCount: openDescriptors(), descriptorLimit: try DescriptorLimit.current().soft)
    }

    /// When the machine was started, in seconds since 1970.
    private static func bootTime() throws(SystemCallError) -> Double {
        let lines = try TextFile.read("/proc/stat").split(separator: "\n")
        return lines.first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) } ?? 0
    }

    /// The descriptors that are open, without the one that they are counted with.
    private static func openDescriptors() -> Int? {
        (try? TextFile.names(in: "/proc/self/fd")).map { $0.count - 1 }
    }
}
