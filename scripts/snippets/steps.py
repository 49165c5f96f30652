"""Turns an article into a shell script that does what it tells the reader to do.

Blocks of `sh` are run one after another in one shell. A comment before a block, which no page shows, tells of others:

    <!-- file PATH -->      the block is the content of a file
    <!-- background -->     the commands go on running while the reader reads on; they serve on the article's port, in
                            place of those that did before
    <!-- output -->         the last lines that the block before it printed

Names and ports that a machine must not really use are replaced: usage: steps.py FILE [WORD=REPLACEMENT...]
"""

import pathlib
import re
import sys

BLOCK = re.compile(r"^(?:<!-- (?P<note>[^\n]*?) -->\n)?```(?P<kind>sh|swift|text)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def step(note, kind, code):
    if note.startswith("file "):
        return f"cat >{note.removeprefix('file ')} <<'END OF FILE'\n{code}END OF FILE\n"
    if note == "output":
        return f"expect_output <<'END OF OUTPUT'\n{code}END OF OUTPUT\n"
    if kind != "sh":
        return ""
    say = "".join(f"tell {line!r}\n" for line in code.splitlines())
    if note == "background":
        return f"{say}stop_running\n{{\n{code}}} </dev/null &\nkeep_running $!\n"
    return f"{say}{{\n{code}}} >\"$output\" </dev/null\n"


text = pathlib.Path(sys.argv[1]).read_text()
for replacement in sys.argv[2:]:
    text = text.replace(*replacement.split("=", 1))
for block in BLOCK.finditer(text):
    print(step(block["note"] or "", block["kind"], block["code"]), end="")
