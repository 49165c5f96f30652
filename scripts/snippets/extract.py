"""Writes each Swift block of Markdown files to a file that can be compiled.

A block is a complete program, unless a comment on the line before it says otherwise:

    <!-- given loop: UVLoop, stream: UVTCPStream -->       the block is the body of a function with these parameters
    <!-- async given loop: UVLoop -->                      the block is the body of an async function
    <!-- refused "after consume" given a: UVTCPStream -->  the compiler must reject the block with this error
    <!-- file Package.swift -->                            only scripts/check-getting-started uses the block

The compiler reports errors at their lines in the Markdown file.

usage: extract.py DIRECTORY FILE...
"""

import pathlib
import re
import sys

BLOCK = re.compile(r"^(?:<!-- (?P<note>[^\n]*?) -->\n)?```swift\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
GIVEN = re.compile(r'(?:refused "(?P<refusal>[^"]*)" )?(?P<effect>async )?given ?(?P<parameters>.*)')


def program(note, code, place):
    """Returns the text of a Swift file that contains the block. The file compiles if the block is correct."""
    code = f'#sourceLocation(file: "{place[0]}", line: {place[1]})\n{code}#sourceLocation()\n'
    if not note:
        return code
    given = GIVEN.fullmatch(note)
    if not given:
        sys.exit(f"{place[0]}:{place[1]}: unknown note '{note}'")
    refusal = f"// refused: {given['refusal']}\n" if given["refusal"] else ""
    return f"{refusal}import LibUV\nfunc snippet({given['parameters']}) {given['effect'] or ''}throws {{\n{code}}}\n"


for name in sys.argv[2:]:
    text = pathlib.Path(name).read_text()
    for block in BLOCK.finditer(text):
        note, line = block["note"] or "", text.count("\n", 0, block.start("code")) + 1
        if note.startswith("file "):
            continue
        file = pathlib.Path(sys.argv[1], f"{pathlib.Path(name).stem}-{line}.swift")
        file.write_text(program(note, block["code"], (name, line)))
