import CLibUV
import Foundation
import LibUV
import Testing

@Suite struct VersionTests {
    @Test func theRunningLibraryIsNewEnough() throws { try UVVersion.check() }

    /// `scripts/check-libuv` sets the variable to the version with which the test program was built and runs.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["UV_EXPECTED_VERSION"] != nil))
    func theExpectedVersionIsCompiledAndRunning() throws {
        let version = try #require(ProcessInfo.processInfo.environment["UV_EXPECTED_VERSION"])
        #expect(UVVersion.compiled.description == version)
        #expect(UVVersion.running.description == version)
    }

    @Test func anOlderLibraryIsRefusedWithBothVersions() {
        let error = #expect(throws: UVError.self) {
            try UVVersion.check(running: UVVersion(encoded: 0x012C02), compiled: UVVersion(encoded: 0x013200))
        }
        #expect(error?.detail?.contains("1.44.2") == true)
        #expect(error?.detail?.contains("1.50.0") == true)
    }

    @Test func theStructuresHaveTheSizesOfTheRunningLibrary() {
        let sizes = [
            unsafe (UV_TCP, MemoryLayout<uv_tcp_t>.size), unsafe (UV_NAMED_PIPE, MemoryLayout<uv_pipe_t>.size),
            unsafe (UV_TTY, MemoryLayout<uv_tty_t>.size), unsafe (UV_TIMER, MemoryLayout<uv_timer_t>.size),
            unsafe (UV_SIGNAL, MemoryLayout<uv_signal_t>.size), unsafe (UV_ASYNC, MemoryLayout<uv_async_t>.size),
        ]
        for (type, size) in sizes { #expect(uv_handle_size(type) == size) }
    }
}
