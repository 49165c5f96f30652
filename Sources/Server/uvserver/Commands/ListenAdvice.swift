import Servers
import SystemCalls

/// What to do about a server that cannot listen.
enum ListenAdvice {
    static func describe(_ error: ServerError) -> String {
        guard let address = error.address else { return "the server failed: \(error)" }
        let advice =
            switch error.code {
            case Errno.addressInUse:
                "stop the program that has the port, or give another one with --port (0 picks a free one)"
            case Errno.permissionDenied:
                "ports below 1024 need root or the capability CAP_NET_BIND_SERVICE; give a higher one with --port"
            case Errno.addressNotAvailable:
                "give an address of this machine with --host, or 0.0.0.0 for all of them"
            default: "check --host and --port"
            }
        return "cannot listen on \(address): \(error.message); \(advice)"
    }
}
