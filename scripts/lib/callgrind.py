"""Reads the counts of valgrind's tool callgrind."""

import pathlib
import re
from collections import Counter

CALL = re.compile(r"^(c?)fn=(\(\d+\))(?: (.*))?|^calls=(\d+)|^(?:summary|totals): (\d+)", re.MULTILINE)


class Profile:
    """The counts in an output file of callgrind: the instructions, and the calls of each function."""

    def __init__(self, path):
        names, count, self.instructions = {}, Counter(), None
        for is_callee, function, name, calls, total in CALL.findall(pathlib.Path(path).read_text(errors="replace")):
            if name:
                names[function] = name
            if is_callee:
                callee = function
            elif calls:
                count[callee] += int(calls)
            elif total and self.instructions is None:
                self.instructions = int(total)
        self.counts = {names[function]: number for function, number in count.items()}

    def calls(self, pattern):
        """Returns the number of calls of all functions whose names begin with a match of the pattern."""
        return sum(number for name, number in self.counts.items() if re.match(pattern, name))
