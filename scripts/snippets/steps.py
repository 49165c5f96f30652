"""Turns an article into a shell script that follows its steps.

Runs the `sh` blocks one after another in one shell. A comment before a block, which is not rendered, marks other kinds:

    <!-- file PATH -->      the block is the content of a file
    <!-- background -->     the commands keep running while the reader reads on; they serve on the article's port,
                            and replace earlier ones
    <!-- output -->         the last lines that the block before it printed

usage: steps.py FILE [WORD=REPLACEMENT...]     replaces example names and ports by ones that exist
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
