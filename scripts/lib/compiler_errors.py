"""Compares the errors that the compiler reports for a file with the errors that comments in the file announce.

Usage: compiler_errors.py SOURCE LOG

A comment `// error: TEXT` at the end of a line announces an error on this line, whose message contains TEXT. The
compiler may report more errors on the same line, but no errors on other lines.
"""

import re
import sys

source, log = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    announced = [(number, text.split("// error: ")[1].strip())
                 for number, text in enumerate(file, 1) if "// error: " in text]
with open(log, encoding="utf-8") as file:
    reported = sorted((int(line), message) for line, message in
                      re.findall(r"^\S*?([0-9]+):[0-9]+: error: (.*)$", file.read(), re.MULTILINE))

mistakes = 0
for number, text in announced:
    messages = [message for line, message in reported if line == number]
    if not any(text in message for message in messages):
        print(f"{source}:{number}: expected '{text}', but the compiler reports {messages or 'nothing'}",
              file=sys.stderr)
        mistakes += 1
lines = {number for number, _ in announced}
for line, message in reported:
    if line not in lines:
        print(f"{source}:{line}: unexpected error: {message}", file=sys.stderr)
        mistakes += 1
if mistakes or not announced:
    sys.exit(1)
print(f"{len(announced)} mistakes are reported on their lines")
