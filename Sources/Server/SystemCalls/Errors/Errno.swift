internal import Glibc

/// The error numbers that callers handle separately.
public enum Errno {
    /// `EADDRINUSE`.
    public static var addressInUse: Int32 { EADDRINUSE }
    /// `EADDRNOTAVAIL`.
    public static var addressNotAvailable: Int32 { EADDRNOTAVAIL }
    /// `EACCES`.
    public static var permissionDenied: Int32 { EACCES }
    /// `ECONNRESET`.
    public static var connectionReset: Int32 { ECONNRESET }
    /// `ECONNREFUSED`.
    public static var connectionRefused: Int32 { ECONNREFUSED }
    /// `ETIMEDOUT`.
    public static var timedOut: Int32 { ETIMEDOUT }
    /// `EAGAIN`.
    public static var wouldBlock: Int32 { EAGAIN }
    /// `EPERM`.
    public static var notPermitted: Int32 { EPERM }
    /// `EMFILE`.
    public static var noDescriptor: Int32 { EMFILE }
    /// `ENFILE`.
    public static var noSystemDescriptor: Int32 { ENFILE }
    /// `ENOMEM`.
    public static var noMemory: Int32 { ENOMEM }
    /// `ENOBUFS`.
    public static var noBuffers: Int32 { ENOBUFS }
    /// `ECANCELED`.
    public static var cancelled: Int32 { ECANCELED }
    /// `EAGAIN`.
    public static var tryAgain: Int32 { EAGAIN }
}
