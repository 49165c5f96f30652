internal import CLibUV

/// A request to connect, to shut down or to write a shared buffer, together with its completion.
///
/// It exists until libuv has called back.
@safe
final class StreamRequest<Request> {
    let memory: UnsafeMutablePointer<Request>
    private let completion: (Result<Void, UVError>) -> Void

    init(completion: @escaping (Result<Void, UVError>) -> Void) {
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<Request>.size, alignment: MemoryLayout<Request>.alignment)
        unsafe raw.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<Request>.size)
        unsafe memory = raw.bindMemory(to: Request.self, capacity: 1)
        self.completion = completion
    }

    deinit { unsafe memory.deallocate() }

    /// Returns a pointer for the request's `data`, with a reference that `complete` releases.
    func retained() -> UnsafeMutableRawPointer { unsafe Unmanaged.passRetained(self).toOpaque() }

    /// Calls the completion of the request with this `data`, and frees the request.
    static func complete(_ data: UnsafeMutableRawPointer?, _ status: Int32, _ operation: String) {
        guard let data = unsafe data else { return }
        let request = unsafe Unmanaged<StreamRequest<Request>>.fromOpaque(data).takeRetainedValue()
        request.completion(status < 0 ? .failure(UVError(code: status, operation: operation)) : .success(()))
    }
}
