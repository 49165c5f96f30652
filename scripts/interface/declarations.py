"""Prints a module's public declarations, one a line, sorted by name, with members indented below their type.

Members of an extension that adds no conformance are printed in the type: where a declaration is written is not part of
the interface.

usage: declarations.py MODULE FILE      FILE: the output of swift-synthesize-interface
"""

import re
import sys

KEYWORDS = "class|struct|enum|protocol|actor|extension|typealias|associatedtype|func|var|let|case"
NAME = re.compile(rf"\b(?:{KEYWORDS})\s+(\S+?)(?=[\s(:<{{,]|$)|\b(init|subscript|deinit)\b")
# Words that each line would have, and attributes that callers do not notice.
OMITTED = re.compile(r"\b(public|private\(set\)) |@inlinable ?")


class Declaration:
    """A line of the interface, and the members that it opens."""

    def __init__(self, text):
        self.text = text
        self.members = []

    @property
    def name(self):
        found = NAME.search(self.text)
        return (found.group(1) or found.group(2)) if found else self.text

    @property
    def order(self):
        return self.name, self.text.startswith("extension "), self.text

    def lines(self, depth=0):
        yield "    " * depth + self.text
        for member in sorted(self.members, key=lambda member: member.order):
            yield from member.lines(depth + 1)


def parse(module, lines):
    """The declarations of a file, nested as they are there."""
    root = Declaration("")
    stack, attributes = [root], []
    for line in (line.strip().replace(f"{module}.", "") for line in lines):
        if not line or line.startswith(("//", "import ")):
            continue
        if line == "}":
            stack.pop()
        elif line.startswith("@") and not NAME.search(line):
            attributes.append(line)
        else:
            is_opening = line.endswith("{")
            text = " ".join(attributes + [line.removesuffix("{").strip()])
            declaration = Declaration(OMITTED.sub("", text).strip())
            attributes = []
            if declaration.name != "deinit":
                stack[-1].members.append(declaration)
            if is_opening:
                stack.append(declaration)
    return root


def join_extensions(root):
    """Moves the members of extensions that only add members into their types."""
    types = {member.name: member for member in root.members if not member.text.startswith("extension ")}
    remaining = []
    for member in root.members:
        added_to = re.fullmatch(r"extension (\S+)", member.text)
        if added_to and added_to.group(1) in types:
            types[added_to.group(1)].members += member.members
        else:
            remaining.append(member)
    root.members = remaining


if __name__ == "__main__":
    with open(sys.argv[2]) as file:
        tree = parse(sys.argv[1], file)
    join_extensions(tree)
    for declaration in sorted(tree.members, key=lambda member: member.order):
        print("\n".join(declaration.lines()))
