internal import LibUV

extension UVHandle {
    /// What a call of the system's on the handle's descriptor gives, where libuv has none for it; `nil` where the handle
    /// has no descriptor any more.
    func withSystemCalls<Outcome>(_ call: (Int32) -> Outcome?) -> Outcome? {
        (try? withUnsafeDescriptor(call)).flatMap { $0 }
    }
}
