import Foundation

/// The signal that the tests send to themselves.
let userSignal = SIGUSR2

/// Sends the signal to the calling thread: it has been handled when this returns.
///
/// The threads that tests run on block all signals; this one is let through.
func raiseUserSignal() {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, userSignal)
    unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    raise(userSignal)
}
