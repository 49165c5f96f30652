extension String {
    /// Returns the text if it has at most `limit` bytes in UTF-8, and otherwise its beginning and its end.
    ///
    /// A note between the two parts gives the number of bytes that were cut, for example `[1024 bytes cut]`. `limit`
    /// must be at least 64.
    public func cut(toByteCount limit: Int) -> String {
        let bytes = utf8
        guard bytes.count > limit else { return self }
        let kept = max(0, limit - 40)
        var start = bytes.index(bytes.startIndex, offsetBy: kept * 3 / 4)
        var end = bytes.index(bytes.endIndex, offsetBy: kept * 3 / 4 - kept)
        while start > bytes.startIndex, start < bytes.endIndex, bytes[start] & 0xC0 == 0x80 {
            start = bytes.index(before: start)
        }
        while end < bytes.endIndex, bytes[end] & 0xC0 == 0x80 { end = bytes.index(after: end) }
        let count = bytes.distance(from: start, to: end)
        return String(self[..<start]) + "[\(count) bytes cut]" + String(self[end...])
    }
}
