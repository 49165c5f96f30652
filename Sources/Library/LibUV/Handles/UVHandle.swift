public import CLibUV

/// A libuv handle (`uv_handle_t`): something that lives on a loop until it is closed.
///
/// The C structure lives in a cell of its own, never moves, and is freed with this object. From its creation to
/// its close callback a handle keeps itself alive, as in libuv: dropping the last reference to an open handle
/// neither closes nor frees it. Handles belong to their loop's thread and are not `Sendable`; only the last
/// reference to a closed one may be dropped anywhere.
@safe
public class UVHandle {
    @usableFromInline final let raw: UnsafeMutablePointer<uv_handle_t>

    /// Takes over a cell whose handle libuv has initialised.
    init(initialised raw: UnsafeMutablePointer<uv_handle_t>, place: UVSourcePlace) {
        unsafe self.raw = unsafe raw
        unsafe raw.pointee.data = unsafe Unmanaged.passRetained(self).toOpaque()
        let owner = unsafe Trampolines.owner(of: raw)
        _ = unsafe owner.retain()
        #if DEBUG
            unsafe owner.takeUnretainedValue().state.pointee.places[raw] = place
        #endif
    }

    deinit {
        let owner = unsafe Trampolines.owner(of: raw)
        unsafe freeCell(owner)
        unsafe owner.release()
    }

    /// Frees the cell of a handle that has closed; on any thread.
    func freeCell(_ owner: Unmanaged<UVLoop>) { unsafe UnsafeMutableRawPointer(raw).deallocate() }

    /// What a subclass does before libuv closes the handle.
    func willClose() {}

    /// What a subclass does once libuv has closed the handle.
    func didClose() {}

    /// The loop that the handle lives on.
    public final var loop: UVLoop { unsafe Trampolines.owner(of: raw).takeUnretainedValue() }

    /// What libuv calls the handle's type, as in `tcp` (`uv_handle_type_name`).
    public final var typeName: String {
        unsafe uv_handle_type_name(uv_handle_get_type(raw)).map { unsafe String(cString: $0) } ?? "unknown"
    }

    /// Whether the handle is doing something: a timer that runs, a stream that reads or writes (`uv_is_active`).
    public final var isActive: Bool {
        assertOnThread()
        return unsafe uv_is_active(raw) != 0
    }

    /// Whether the handle is closing or closed (`uv_is_closing`).
    public final var isClosing: Bool { unsafe uv_is_closing(raw) != 0 }

    /// Whether the handle has closed: its close callback has been called.
    public final var isClosed: Bool { unsafe raw.pointee.data == nil }

    /// Whether an active handle keeps the loop running: true unless `unref` was called (`uv_has_ref`).
    public final var hasRef: Bool {
        assertOnThread()
        return unsafe uv_has_ref(raw) != 0
    }

    /// Lets the handle keep its loop running while it is active; the default (`uv_ref`).
    ///
    /// Idempotent.
    public final func ref() {
        assertOnThread()
        if !isClosing { unsafe uv_ref(raw) }
    }

    /// Lets `run` end while the handle is still active (`uv_unref`).
    ///
    /// Idempotent.
    public final func unref() {
        assertOnThread()
        if !isClosing { unsafe uv_unref(raw) }
    }

    /// Closes the handle (`uv_close`); closing it again does nothing.
    ///
    /// Whatever is under way completes first, with `cancelled` where it had not completed before; then the close
    /// is complete, in a later round of the loop and never within this call.
    public final func close() {
        assertOnThread()
        guard !isClosing else { return }
        willClose()
        unsafe uv_close(raw, Trampolines.onClose)
    }

    /// Closes the handle (`uv_close`), and calls `completion` when it has closed, once.
    ///
    /// On a handle that is closing already, `completion` is called with the others; on one that has closed, at once.
    public final func close(completion: @escaping () -> Void) {
        assertOnThread()
        guard !isClosed else { return completion() }
        whenClosed(completion)
        close()
    }

    /// Calls `completion` when an open or closing handle has closed, whoever closes it.
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
