"""Prints a shell script that follows the steps of an article.

The script runs the `sh` blocks one after another in one shell. A comment before a block marks the other kinds of
blocks. Readers of the article do not see these comments. There are three:

    <!-- file PATH -->      the block is the content of a file
    <!-- background -->     the block starts a server on the article's port, which runs until the next such block
    <!-- output -->         the block is the end of the output of the previous block

usage: steps.py FILE [WORD=REPLACEMENT...]     replaces each WORD of the article, for example a port
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
