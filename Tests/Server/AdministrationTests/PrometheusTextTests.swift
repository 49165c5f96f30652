import Administration
import Testing

@Suite struct PrometheusTextTests {
    @Test func metricsAreSortedByName() {
        let families: [MetricFamily] = [
            MetricFamily(.gauge, "b", help: "B.", 2.5), MetricFamily(.counter, "a_total", help: "A.", 1),
        ]
        let text = "# HELP a_total A.\n# TYPE a_total counter\na_total 1\n# HELP b B.\n# TYPE b gauge\nb 2.5\n"
        #expect(PrometheusText.text(of: families) == text)
        #expect(PrometheusText.text(of: families.reversed()) == text)
        #expect(PrometheusText.text(of: []).isEmpty)
    }

    @Test func textsAreEscaped() {
        let labels = [(name: "a", value: "back\\slash"), (name: "b", value: "\"quoted\"\nline\r\n")]
        let family = MetricFamily(.gauge, "m", help: "a \"b\"\\\n\r\nc", [MetricSample(0, labels: labels)])
        #expect(
            PrometheusText.text(of: [family]) == """
                # HELP m a "b"\\\\\\n\r\\nc
                # TYPE m gauge
                m{a="back\\\\slash",b="\\"quoted\\"\\nline\r\\n"} 0

                """)
    }

    @Test func invalidCharactersInNamesBecomeUnderscores() {
        let sample = MetricSample(1, labels: [("1:ä b", "x")])
        let text = PrometheusText.text(of: [MetricFamily(.gauge, "0a:b-c d\n9", help: "", [sample])])
        #expect(text == "# HELP _a:b_c_d_9 \n# TYPE _a:b_c_d_9 gauge\n_a:b_c_d_9{____b=\"x\"} 1\n")
    }

    @Test(arguments: [
        (0.0, "0"), (-0.0, "0"), (1e15, "1000000000000000"), (-3, "-3"), (0.1, "0.1"), (1e-7, "1e-07"),
        (1e300, "1e+300"),
        (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (9_007_199_254_740_991, "9007199254740991"),
    ]) func numbersAreWrittenAsGoReadsThem(_ value: Double, _ text: String) {
        #expect(PrometheusText.text(of: [MetricFamily(.gauge, "m", help: "M.", value)]).hasSuffix("\nm \(text)\n"))
    }

    @Test func aHistogramIsCumulativeAndEndsWithInfinity() {
        let samples = MetricSample.histogram(
            upperBounds: [0.001, 0.25, 1], counts: [3, 0, 2, 1], sum: 2.75, labels: [("model", "libuv")])
        let text = PrometheusText.text(of: [MetricFamily(.histogram, "h_seconds", help: "H.", samples)])
        #expect(
            text == """
                # HELP h_seconds H.
                # TYPE h_seconds histogram
                h_seconds_bucket{model="libuv",le="0.001"} 3
                h_seconds_bucket{model="libuv",le="0.25"} 3
                h_seconds_bucket{model="libuv",le="1"} 5
                h_seconds_bucket{model="libuv",le="+Inf"} 6
                h_seconds_sum{model="libuv"} 2.75
                h_seconds_count{model="libuv"} 6

                """)
    }

    @Test func theProcessMetricsArePlausible() throws {
        let families = ProcessMetrics.current()
        func value(_ name: String) throws -> Double {
            let family = try #require(families.first { $0.name == name }, "\(name)")
            return try #require(family.samples.first).value
        }
        #expect(try value("process_cpu_seconds_total") > 0)
        #expect(try value("process_resident_memory_bytes") > 1_000_000)
        #expect(try value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"))
        #expect(try value("process_open_fds") >= 3)
        #expect(try value("process_max_fds") >= value("process_open_fds"))
        // The process was started after the year 2020.
        #expect(try value("process_start_time_seconds") > 1_577_836_800)
    }

    @Test func theBuildIsAGaugeOfOne() {
        let family = ProcessMetrics.buildInformation(version: "0.1.0", libuv: "1.44.2", model: "epoll")
        #expect(
            PrometheusText.text(of: [family]).hasSuffix(
                "\nuvserver_build_info{version=\"0.1.0\",libuv=\"1.44.2\",model=\"epoll\"} 1\n"))
    }
}
