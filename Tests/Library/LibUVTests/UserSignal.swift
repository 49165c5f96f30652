import CDispatch
import Foundation

/// The signal that the tests send to themselves.
let userSignal = SIGUSR2

/// Sends the signal to the calling thread, and returns after the signal has been handled.
///
/// The threads of tests block all signals, so the function unblocks this signal first.
func raiseUserSignal() {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, userSignal)
    unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    raise(userSignal)
}
