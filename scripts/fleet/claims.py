"""Claims that must hold, printed one a line."""


class Claims:
    def __init__(self):
        self.good = True

    def claim(self, holds, text):
        self.good = self.good and bool(holds)
        print(f"{'ok    ' if holds else 'FAILED'}  {text}", flush=True)


def describe(counts):
    return " (" + ", ".join(f"{name}: {count}" for name, count in sorted(counts.items())) + ")" if counts else ""
