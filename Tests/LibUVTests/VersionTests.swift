import LibUV
import Testing

@Suite struct VersionTests {
    @Test func theRunningLibraryIsNewEnough() throws { try UVVersion.check() }

    @Test func anOlderLibraryIsRefusedWithBothVersions() {
        let error = #expect(throws: UVError.self) {
            try UVVersion.check(running: UVVersion(encoded: 0x012C02), compiled: UVVersion(encoded: 0x013200))
        }
        #expect(error?.operation.contains("1.44.2") == true)
        #expect(error?.operation.contains("1.50.0") == true)
    }
}
