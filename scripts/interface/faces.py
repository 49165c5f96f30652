"""Checks the table of the article ClosuresAndTasks, which compares closures with tasks.

Each row names an operation, and how closures and tasks offer it. If one of them does not offer it, the cell says why:
"not offered: REASON". Each class of handles is in the column for closures, and each class with `async` functions is in
the column for tasks.
"""

import pathlib
import re
import sys

article = pathlib.Path("Sources/Library/LibUV/LibUV.docc/ClosuresAndTasks.md")
interface = pathlib.Path("docs/api/LibUV.txt").read_text()
base_classes = {"UVHandle", "UVStream", "UVListener", "UVLoop"}

problems, closures, tasks = [], "", ""
for line in article.read_text().splitlines():
    cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
    if not line.startswith("| ") or cells[0] == "operation":
        continue
    if len(cells) != 3 or not all(cells):
        problems.append(f"a row needs three cells: {line}")
        continue
    closures, tasks = closures + cells[1], tasks + cells[2]
    problems += [f"a cell must have a reason after a colon: {cell}" for cell in cells[1:]
                 if cell.startswith("not ") and ": " not in cell]
for declaration in re.split(r"\n(?=\S)", interface):
    if not (name := re.match(r"(?:final )?class (\w+)(?: : ([\w, ]+))?", declaration)) or name[1] in base_classes:
        continue
    if set((name[2] or "").split(", ")) & base_classes and f"``{name[1]}" not in closures:
        problems.append(f"no row has {name[1]} in the column for closures")
    if re.search(r"\basync\b", declaration) and not re.search(rf"``{name[1]}\b", tasks):
        problems.append(f"no row has {name[1]} in the column for tasks")
for problem in problems:
    print(f"{article}: {problem}", file=sys.stderr)
if problems:
    sys.exit(1)
print("closures and tasks are compared in a table without gaps")
