internal import CLibUV

// Texts that libuv writes into memory of the caller.

enum SystemText {
    /// The text that a libuv function writes; asked again with more room where it says that there is too little.
    ///
    /// - Parameters:
    ///   - capacity: the room to begin with, in bytes, the zero at the end included.
    ///   - call: writes the text and its size; answers `UV_ENOBUFS` where it does not fit, with the size needed
    ///     where the function tells.
    static func read(
        _ operation: String, capacity: Int = 256,
        _ call: (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<Int>) -> Int32
    ) throws(UVError) -> String {
        var capacity = capacity
        while true {
            var size = capacity
            var bytes = [CChar](repeating: 0, count: capacity)
            let status = unsafe bytes.withUnsafeMutableBufferPointer { bytes in
                // An array that is not empty has a base address.
                unsafe bytes.baseAddress.map { unsafe call($0, &size) } ?? UV_ENOBUFS.rawValue
            }
            guard status == UV_ENOBUFS.rawValue, capacity < 1 << 24 else {
                try check(status, operation)
                return text(bytes)
            }
            capacity = max(size, capacity * 2)
        }
    }

    /// The text in an array of characters, up to the zero.
    static func text(_ bytes: [CChar]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The text in a structure's array of characters, which Swift sees as a tuple; up to the zero.
    static func text<Characters>(of characters: inout Characters) -> String {
        unsafe withUnsafeBytes(of: &characters) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
