public import CLibUV

/// A libuv handle, which belongs to a loop until it is closed (`uv_handle_t`).
///
/// The C structure has its own memory, never moves, and is freed with this object. A handle keeps itself alive from its
/// creation to its close callback, as in libuv. Therefore releasing the last reference to an open handle neither closes
/// nor frees it. Use handles only on their loop's thread; they are not `Sendable`. The last reference to a closed
/// handle may be released on any thread.
@safe
public class UVHandle {
    @usableFromInline final let raw: UnsafeMutablePointer<uv_handle_t>

    /// Takes ownership of memory in which libuv has initialised a handle.
    init(initialised raw: UnsafeMutablePointer<uv_handle_t>, location: UVSourceLocation) {
        unsafe self.raw = unsafe raw
        unsafe raw.pointee.data = unsafe Unmanaged.passRetained(self).toOpaque()
        let owner = unsafe Trampolines.owner(of: raw)
        _ = unsafe owner.retain()
        #if DEBUG
            unsafe owner.takeUnretainedValue().state.pointee.locations[raw] = location
        #endif
    }

    deinit {
        let owner = unsafe Trampolines.owner(of: raw)
        unsafe freeCell(owner)
        unsafe owner.release()
    }

    /// Frees the memory of a closed handle.
    ///
    /// Callable from any thread.
    func freeCell(_ owner: Unmanaged<UVLoop>) { unsafe UnsafeMutableRawPointer(raw).deallocate() }

    /// Called before libuv closes the handle.
    ///
    /// Subclasses override it.
    func willClose() {}

    /// Called when libuv has closed the handle.
    ///
    /// Subclasses override it.
    func didClose() {}

    /// The loop to which the handle belongs.
    public final var loop: UVLoop { unsafe Trampolines.owner(of: raw).takeUnretainedValue() }

    /// The type of the handle, for example `tcp` (`uv_handle_type_name`).
    public final var typeName: String {
        unsafe uv_handle_type_name(uv_handle_get_type(raw)).map { unsafe String(cString: $0) } ?? "unknown"
    }

    /// Whether the handle is active, for example a running timer, or a stream that reads or writes (`uv_is_active`).
    public final var isActive: Bool {
        assertOnThread()
        return unsafe uv_is_active(raw) != 0 || isWatching
    }

    /// Whether internal handles of this handle are active.
    ///
    /// Subclasses override it.
    var isWatching: Bool { false }

    /// Called when the program has called `ref` or `unref`.
    ///
    /// Subclasses override it.
    func referenceChanged() {}

    /// Whether the handle is closing or closed (`uv_is_closing`).
    public final var isClosing: Bool { unsafe uv_is_closing(raw) != 0 }

    /// Whether the handle has closed, that is, whether its close callback has been called.
    public final var isClosed: Bool { unsafe raw.pointee.data == nil }

    /// Whether the handle keeps the loop running while it is active (`uv_has_ref`).
    ///
    /// This is the case unless `unref` was called.
    public final var hasRef: Bool {
        assertOnThread()
        return unsafe uv_has_ref(raw) != 0
    }

    /// Makes the handle keep its loop running while it is active, which is the default (`uv_ref`).
    ///
    /// Calling it again has no effect.
    public final func ref() {
        assertOnThread()
        if isClosing { return }
        unsafe uv_ref(raw)
        referenceChanged()
    }

    /// Allows `run` to return while the handle is still active (`uv_unref`).
    ///
    /// Calling it again has no effect.
    public final func unref() {
        assertOnThread()
        if isClosing { return }
        unsafe uv_unref(raw)
        referenceChanged()
    }

    /// Closes the handle (`uv_close`).
    ///
    /// Each pending operation completes before the handle has closed, with the error `cancelled` if the operation has
    /// not finished by itself. The handle closes in a later iteration of the loop, never during this call. Closing a
    /// handle again has no effect.
    public final func close() {
        assertOnThread()
        guard !isClosing else { return }
        willClose()
        unsafe uv_close(raw, Trampolines.onClose)
    }

    /// Closes the handle (`uv_close`), and calls `completion` once when the handle has closed.
    ///
    /// If the handle is already closing, `completion` is called together with earlier completions. If it has already
    /// closed, `completion` is called immediately.
    public final func close(completion: @escaping () -> Void) {
        assertOnThread()
        guard !isClosed else { return completion() }
        whenClosed(completion)
        close()
    }

    /// Calls `completion` when an open or closing handle has closed.
    final func whenClosed(_ completion: @escaping () -> Void) {
        unsafe loop.state.pointee.closeCompletions[raw, default: []].append(completion)
    }

    @inlinable
    @inline(__always)
    final func assertOnThread() {
        assert(
            unsafe cuv_is_on_thread(cuv_loop_of_handle(raw)) != 0,
            "a handle is used off its loop's thread; see UVLoop.execute")
    }
}
