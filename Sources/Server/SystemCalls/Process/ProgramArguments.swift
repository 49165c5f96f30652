/// The arguments of this program.
///
/// They are the arguments of C's `main`, so they are available even if `/proc` is not mounted. Swift's
/// `CommandLine.arguments` reads `/proc/self/cmdline`, and is empty without that file.
public enum ProgramArguments {
    /// The program's name, followed by its arguments.
    ///
    /// Invalid UTF-8 is replaced with U+FFFD.
    public static let all: [String] = {
        guard let list = unsafe argumentList else { return CommandLine.arguments }
        return unsafe (0..<Int(argumentCount)).compactMap { index in
            unsafe list[index].map { unsafe String(cString: $0) }
        }
    }()

    /// The arguments after the program's name.
    public static var afterName: [String] { Array(all.dropFirst()) }
}

// Both variables are written once, before `main` begins.
private nonisolated(unsafe) var argumentCount: CInt = 0
private nonisolated(unsafe) var argumentList: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?

/// Stores the arguments before `main` begins.
///
/// glibc calls each function of the section `.init_array` with the arguments of `main`
/// (docs/decisions/0031-arguments-without-proc.md).
@section(".init_array") @used
private let storeArguments:
    @convention(c) (
        CInt, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> Void = { count, list, _ in
        unsafe argumentCount = count
        unsafe argumentList = list
    }
