internal import CLibUV

extension UVLoop {
    /// Returns a readable list of the loop's handles (`uv_print_all_handles`, `uv_print_active_handles`).
    ///
    /// The list includes the internal handles of libuv and of the loop, and has one line for each handle. Each line
    /// shows the flags of the handle, its type and its address. The flag `R` means that the handle keeps the loop
    /// running, `A` that it is active, and `I` that it is internal.
    ///
    /// - Parameter onlyActive: whether to list only active handles.
    /// - Returns: the list, which is empty if the loop has closed.
    public func listHandles(onlyActive: Bool = false) -> String {
        checkThread("listHandles")
        guard unsafe !state.pointee.isClosed else { return "" }
        var text: UnsafeMutablePointer<CChar>?
        var size = 0
        guard let stream = unsafe open_memstream(&text, &size) else { return "" }
        if onlyActive { unsafe uv_print_active_handles(raw, stream) } else { unsafe uv_print_all_handles(raw, stream) }
        // After `fclose`, `text` is a zero-terminated string, which this function must free.
        unsafe fclose(stream)
        defer { unsafe free(text) }
        return unsafe text.map { unsafe String(cString: $0) } ?? ""
    }
}
