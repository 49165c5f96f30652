import Foundation

/// The signal that the tests send to themselves.
let userSignal = SIGUSR2

func raiseUserSignal() { kill(getpid(), userSignal) }
