import Measurements
import Testing

@testable import Comparison

/// Tests of the parsers for the kernel's files, and of the shares of time that are computed from these files.
@Suite struct PlatformTests {
    @Test func ticksAreParsed() {
        // The columns are user, nice, system, idle, iowait, irq, softirq, steal, guest and guest_nice. The last two are
        // already included in user and nice.
        let ticks = PlatformCounters.Ticks(parsing: "cpu  100 20 30 400 50 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
        #expect(ticks.total == 621)
        #expect(ticks.stolen == 8)
        #expect(ticks.busy == 100 + 20 + 30 + 6 + 7)
    }

    @Test(arguments: ["", "cpu", "cpu 1 2 3", "intr 1 2 3 4 5 6 7 8 9"]) func invalidTicksAreZero(_ text: String) {
        #expect(PlatformCounters.Ticks(parsing: text) == PlatformCounters.Ticks())
    }

    @Test func pressureIsParsed() {
        let text = """
            some avg10=1.23 avg60=0.50 avg300=0.10 total=123456
            full avg10=0.00 avg60=0.00 avg300=0.00 total=9
            """
        #expect(PlatformCounters.pressure(parsing: text) == 123_456)
        #expect(PlatformCounters.pressure(parsing: "") == 0)
    }

    @Test func runDelayIsParsed() {
        #expect(PlatformCounters.runDelay(parsing: "5000 123 7\n") == 123)
        #expect(PlatformCounters.runDelay(parsing: "") == 0)
    }

    @Test func sharesAreRelativeToTheTimeBetweenTwoSamples() {
        var first = PlatformCounters()
        first.time = 1_000_000_000
        var last = first
        last.time += 400_000_000
        var now = last
        now.time += 100_000_000
        // Half a second on two processors is 100 ticks. Of these, 40 ticks are busy and 10 are stolen.
        now.ticks.total = 100
        now.ticks.busy = 40
        now.ticks.stolen = 10
        now.pressure = 20_000
        now.runDelay = 30_000_000
        now.ownTime = 300_000_000
        let sample = PlatformWatch.sample(12, first, last, now)
        #expect(sample.hiccupMicroseconds == 12)
        #expect(sample.stealShare == 0.1)
        #expect(sample.pressureShare == 0.2)
        #expect(sample.runDelayShare == 0.3)
        // The processors were busy for 400 ms, of which the servers and the load used 300 ms.
        #expect(abs(sample.foreignShare - 0.1) < 1e-9)
    }

    @Test func theFirstProcessorIsNamed() {
        #expect(
            Machine.processor(parsing: "processor : 0\nmodel name\t: Some  CPU @ 2GHz\nmodel name: Other\n")
                == "Some CPU @ 2GHz")
        #expect(Machine.processor(parsing: "") == nil)
    }

    @Test func theWatchTakesSamplesPeriodically() throws {
        let watch = try PlatformWatch()
        var count = 0
        let deadline = ContinuousClock.now.advanced(by: .seconds(20))
        while count < 2, ContinuousClock.now < deadline { count = watch.samples(from: 0, to: .max).count }
        watch.stop()
        #expect(count >= 2)
    }
}
