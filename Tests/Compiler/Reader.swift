// Ordinary code over LibUV on which a compiler has crashed. scripts/check-compiler compiles it.
import LibUV

struct Failure: Error { let status: String }

/// A reader of lines, on which an earlier form of `UVConnection.read` crashed the compiler with -O.
struct LineReader: ~Copyable {
    let connection: UVConnection
    private var pending: [UInt8] = []
    private var start = 0

    init(_ connection: UVConnection) { self.connection = connection }

    private mutating func fill() async throws -> Bool {
        if start > 0 {
            pending.removeSubrange(..<start)
            start = 0
        }
        guard let bytes = try await connection.read() else { return false }
        bytes.withBytes { $0.withUnsafeBufferPointer { pending.append(contentsOf: $0) } }
        return true
    }

    mutating func line() async throws -> String {
        while true {
            if let end = pending[start...].firstRange(of: [13, 10] as [UInt8]) {
                defer { start = end.upperBound }
                return String(decoding: pending[start..<end.lowerBound], as: UTF8.self)
            }
            guard pending.count - start < 4096, try await fill() else { throw Failure(status: "400 Bad Request") }
        }
    }
}

/// The workarounds of NonexhaustiveCatch.swift, with the buffers of LibUV.
func echo(_ connection: UVConnection) async throws {
    do {
        while let buffer = try await connection.read() { try await connection.write(buffer) }
    } catch let error where error.code == .connectionReset {
        print("the peer has reset the connection")
    } catch { throw error }
}

func echoInAClosure() throws {
    try UVLoop.run { loop in
        let connection = try await loop.connect(to: .loopback(port: 1))
        do throws(UVError) {
            while let buffer = try await connection.read() { try await connection.write(buffer) }
        } catch let error where error.code == .connectionReset {
            print("the peer has reset the connection")
        } catch { throw error }
        await connection.close()
    }
}

func echoWithATypedError(_ connection: UVConnection) async throws(UVError) {
    do {
        while let buffer = try await connection.read() { try await connection.write(buffer) }
    } catch let error where error.code == .connectionReset {
        print("the peer has reset the connection")
    }
}
