import Foundation

/// The signal that the tests send to themselves.
let userSignal = SIGUSR2

/// Sends the signal to the calling thread.
///
/// When the function returns, the signal has been handled.
///
/// The threads on which tests run block all signals; this function unblocks this one.
func raiseUserSignal() {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, userSignal)
    unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    raise(userSignal)
}
