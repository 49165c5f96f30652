"""What valgrind's tool callgrind has counted."""

import pathlib
import re
from collections import Counter

CALL = re.compile(r"^(c?)fn=(\(\d+\))(?: (.*))?|^calls=(\d+)|^(?:summary|totals): (\d+)", re.MULTILINE)


class Profile:
    """A file of callgrind: the number of instructions, and of the calls of each function."""

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
        """The number of calls of functions whose name begins with what the pattern matches."""
        return sum(number for name, number in self.counts.items() if re.match(pattern, name))
