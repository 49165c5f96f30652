internal import CLibUV

// Reading of texts that libuv writes into the caller's memory.

enum SystemText {
    /// Returns the text that a libuv function writes.
    ///
    /// If the memory is too small, this method calls `call` again with more memory.
    ///
    /// - Parameters:
    ///   - capacity: the initial size of the memory in bytes, including the zero byte at the end.
    ///   - call: writes the text and its size. If the text does not fit, `call` returns `UV_ENOBUFS`, and some libuv
    ///     functions set the required size.
    static func read(
        _ operation: String, capacity: Int = 256,
        _ call: (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<Int>) -> Int32
    ) throws(UVError) -> String {
        var capacity = capacity
        while true {
            var size = capacity
            var bytes = [CChar](repeating: 0, count: capacity)
            let status = unsafe bytes.withUnsafeMutableBufferPointer { bytes in
                // The array is not empty, so it has a base address.
                unsafe bytes.baseAddress.map { unsafe call($0, &size) } ?? UV_ENOBUFS.rawValue
            }
            guard status == UV_ENOBUFS.rawValue, capacity < 1 << 24 else {
                try check(status, operation)
                return text(bytes)
            }
            capacity = max(size, capacity * 2)
        }
    }

    /// Returns the text in an array of characters, up to the zero byte.
    static func text(_ bytes: [CChar]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Returns the text in a C array of characters, up to the zero byte.
    ///
    /// Swift imports such an array as a tuple.
    static func text<Characters>(of characters: inout Characters) -> String {
        unsafe withUnsafeBytes(of: &characters) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
