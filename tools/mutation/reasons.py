"""Why survivors are equivalent to the original, from a file.

A line of it is a mutant's key, a tab and the argument. The key has the file, the function or
property, the change and the code, but no line number: an argument holds until its line changes,
wherever it moves.
"""
import pathlib
import re

OWNER = re.compile(r"^(?:[\w()@]+ )*(?:func (\S+?)[(<]|(init)\??[(<]|(subscript)[(<]|(?:let|var) (\w+))")


def owner(lines, number):
    """The function or property of a line: the nearest declaration above that is further out."""
    indent = len(lines[number])
    for line in reversed(lines[: number + 1]):
        own = len(line) - len(line.lstrip())
        if not line.strip() or line.lstrip().startswith(")") or own >= indent:
            continue
        indent = own
        match = OWNER.match(line.strip())
        if match and (own <= 2 or "func " in line):
            return next(each for each in match.groups() if each)
    return "-"


def key(mutant, lines):
    code = " ".join(lines[mutant.number].split())
    return f"{mutant.file} | {owner(lines, mutant.number)} | {mutant.what} | {code}"


class Reasons:
    def __init__(self, path, root):
        self.root, self.texts, self.known = root, {}, {}
        for number, line in enumerate(pathlib.Path(path).read_text().split("\n"), start=1):
            if not line.strip() or line.startswith("#"):
                continue
            name, _, argument = line.partition("\t")
            if not argument.strip():
                raise SystemExit(f"{path}:{number}: a key, a tab and an argument are expected")
            self.known[name] = argument

    def key(self, mutant):
        if mutant.file not in self.texts:
            self.texts[mutant.file] = (self.root / mutant.file).read_text().split("\n")
        return key(mutant, self.texts[mutant.file])

    def stale(self, folder, mutants):
        """Arguments about a folder that are about none of its mutants."""
        keys = {self.key(mutant) for mutant in mutants}
        return sorted(name for name in self.known if name.startswith(folder + "/") and name not in keys)

    def reason(self, mutant):
        return self.known.get(self.key(mutant))
