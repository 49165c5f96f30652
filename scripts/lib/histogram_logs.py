"""Prints the intervals of HdrHistogram logs. Without arguments, prints and checks the intervals of the sample log."""

import sys

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

SAMPLE = "Tests/Bench/MeasurementsTests/Vectors/squares.hlog"
EXPECTED = [
    "response_time 0.000 1.000 2002 1000447 3244031 3926015 10007609343",
    "- 1.000 0.500 0 0 0 0 0",
]


def intervals(path):
    reader = HistogramLogReader(path, HdrHistogram(1, 3_600_000_000_000, 3))
    begin = None
    while (histogram := reader.get_next_interval_histogram()) is not None:
        start = histogram.get_start_time_stamp() / 1000
        begin = reader.get_start_time_sec() if begin is None else begin
        length = histogram.get_end_time_stamp() / 1000 - start
        values = [histogram.get_value_at_percentile(p) for p in (50, 90, 99)]
        fields = [histogram.get_total_count(), *values, histogram.get_max_value()]
        tag = histogram.get_tag() or "-"
        yield f"{tag} {start - begin:.3f} {length:.3f} " + " ".join(str(field) for field in fields)


found = [line for path in sys.argv[1:] or [SAMPLE] for line in intervals(path)]
print("tag start length count p50 p90 p99 max", *found, sep="\n")
if not sys.argv[1:] and found != EXPECTED:
    sys.exit("the intervals of the sample log differ from the expected intervals")
