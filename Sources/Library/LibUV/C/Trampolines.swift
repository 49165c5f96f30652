internal import CLibUV

// The C functions that libuv calls, and the conversion of a handle's `data` to its object.
//
// The `data` of a handle is its object, which is retained from the handle's creation to its close callback. Therefore
// the object is alive in every callback. The `data` of a loop is its UVLoop, which is alive because every handle object
// retains it.

@usableFromInline
enum Trampolines {
    /// Returns the loop object of a handle.
    @inline(__always)
    static func owner(of handle: UnsafeMutablePointer<uv_handle_t>) -> Unmanaged<UVLoop> {
        // UVLoop sets the `data` of the loop before any handle can be made, and never changes it.
        unsafe Unmanaged<UVLoop>.fromOpaque(handle.pointee.loop.pointee.data)
    }

    /// The lowest bit of a stream's `data`, which is set if the stream reports completed writes.
    static var reportsWrites: UInt { 1 }

    /// The second-lowest bit of a stream's `data`, which is set if a reader has provided memory.
    static var lendsOwn: UInt { 2 }

    /// A bit of a stream's `data`, which is set while writes are gathered behind a pending write of the stream.
    @inlinable
    @inline(__always)
    static var gathersWrites: UInt { 4 }

    /// A bit of a stream's `data`, which is set if the stream has water marks.
    @inlinable
    @inline(__always)
    static var hasWaterMarks: UInt { 8 }

    /// The bits of a stream's `data` that do not belong to the reference.
    static var flags: UInt { 15 }

    /// Sets or clears a bit of a stream's `data`.
    static func setFlag(_ flag: UInt, _ isSet: Bool, of stream: UnsafeMutablePointer<uv_stream_t>) {
        let data = unsafe UInt(bitPattern: stream.pointee.data)
        unsafe stream.pointee.data = UnsafeMutableRawPointer(bitPattern: isSet ? data | flag : data & ~flag)
    }

    /// Returns the reference in the `data` of a handle, without the other bits.
    @inline(__always)
    private static func reference(_ data: UnsafeMutableRawPointer?) -> Unmanaged<UVHandle>? {
        // The address of an object is a multiple of 16, so its lowest four bits are free.
        guard
            let address = unsafe UnsafeMutableRawPointer(bitPattern: UInt(bitPattern: data) & ~flags)
        else { return nil }
        return unsafe Unmanaged<UVHandle>.fromOpaque(address)
    }

    /// Returns the object of a handle, or `nil` if the handle has closed or is an internal handle of the loop.
    static func object(of handle: UnsafeMutablePointer<uv_handle_t>) -> UVHandle? {
        unsafe reference(handle.pointee.data)?.takeUnretainedValue()
    }

    /// Returns the object of a handle.
    ///
    /// The caller knows the object's class, because each callback is used only for handles of one class.
    @inline(__always)
    static func object<Object: UVHandle>(of data: UnsafeMutableRawPointer?, as type: Object.Type) -> Object? {
        guard let reference = unsafe reference(data) else { return nil }
        return unsafe unsafeDowncast(reference.takeUnretainedValue(), to: type)
    }

    static let onClose: uv_close_cb = { handle in
        guard let handle = unsafe handle, let reference = unsafe reference(handle.pointee.data) else { return }
        // This is the reference with which the open handle kept itself alive.
        let object = unsafe reference.takeRetainedValue()
        object.didClose()
        unsafe handle.pointee.data = nil
        let loop = object.loop
        if unsafe !loop.state.pointee.pausedListeners.isEmpty { unsafe loop.resumePausedListeners(after: handle) }
        #if DEBUG
            unsafe loop.state.pointee.locations[handle] = nil
        #endif
        if unsafe !loop.state.pointee.closeCompletions.isEmpty,
            let completions = unsafe loop.state.pointee.closeCompletions.removeValue(forKey: handle)
        {
            for completion in completions { completion() }
        }
    }

    static let onWakeUp: uv_async_cb = { wakeUp in
        guard let wakeUp = unsafe wakeUp else { return }
        unsafe Unmanaged<UVLoop>.fromOpaque(wakeUp.pointee.loop.pointee.data).takeUnretainedValue().look()
    }

    static let onJobs: uv_check_cb = { afterIO in
        guard let afterIO = unsafe afterIO else { return }
        // This is the loop's own handle. The loop object is alive while the loop runs.
        unsafe Unmanaged<UVLoop>.fromOpaque(afterIO.pointee.loop.pointee.data)._withUnsafeGuaranteedRef { loop in
            loop.resumeYieldedTasks()
            loop.runJobs()
        }
    }

    static let onTimer: uv_timer_cb = { timer in
        unsafe object(of: timer?.pointee.data, as: UVTimer.self)?.fired()
    }

    static let onAsync: uv_async_cb = { async in
        unsafe object(of: async?.pointee.data, as: UVAsync.self)?.woken()
    }

    static let onSignal: uv_signal_cb = { signal, number in
        unsafe object(of: signal?.pointee.data, as: UVSignal.self)?.received(number)
    }

    static let onPrepare: uv_prepare_cb = { prepare in
        unsafe object(of: prepare?.pointee.data, as: UVPrepare.self)?.called()
    }

    static let onCheck: uv_check_cb = { check in
        unsafe object(of: check?.pointee.data, as: UVCheck.self)?.called()
    }

    static let onIdle: uv_idle_cb = { idle in
        unsafe object(of: idle?.pointee.data, as: UVIdle.self)?.called()
    }

    // MARK: - Requests

    // The `data` of a request is its object, which `LoopState.requests` retains until the callback.

    /// Completes the request with this `data`.
    private static func complete(_ data: UnsafeMutableRawPointer?, _ status: Int32) {
        guard let data = unsafe data else { return }
        unsafe Unmanaged<UVRequest>.fromOpaque(data).takeUnretainedValue().complete(status)
    }

    /// libuv calls this function on a thread of its pool.
    static let onWork: uv_work_cb = { work in
        guard let data = unsafe work?.pointee.data else { return }
        unsafe Unmanaged<UVRequest>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.perform() }
    }

    static let onWorkDone: uv_after_work_cb = { work, status in unsafe complete(work?.pointee.data, status) }

    static let onRandom: uv_random_cb = { random, status, _, _ in unsafe complete(random?.pointee.data, status) }

    static let onResolved: uv_getaddrinfo_cb = { request, status, _ in
        unsafe complete(request?.pointee.data, status)
    }

    static let onNamed: uv_getnameinfo_cb = { request, status, _, _ in
        unsafe complete(request?.pointee.data, status)
    }

    static let onExit: uv_exit_cb = { process, status, signal in
        unsafe object(of: process?.pointee.data, as: UVProcess.self)?.exited(status, signal)
    }
}
