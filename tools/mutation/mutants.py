"""Which mutants there are: each is one small change of one line."""
import dataclasses
import pathlib
import re


@dataclasses.dataclass(frozen=True)
class Mutant:
    """Line `number` (from 0) and the `length - 1` after it replaced."""

    file: str
    number: int
    what: str
    replacement: tuple
    length: int

    @property
    def place(self):
        return f"{self.file}:{self.number + 1}: {self.what}"

    def apply(self, text):
        lines = text.split("\n")
        lines[self.number: self.number + self.length] = self.replacement
        return "\n".join(lines)


# Replacements inside a line, one occurrence at a time.
FLIPS = [
    (" == ", " != "), (" != ", " == "), (" < ", " <= "), (" <= ", " < "), (" > ", " >= "),
    (" >= ", " > "), (" && ", " || "), (" || ", " && "), ("&+ ", "&- "), ("&- ", "&+ "),
    (" + ", " - "), (" - ", " + "), ("return true", "return false"),
    ("return false", "return true"), (": true", ": false"), (": false", ": true"),
    (" = true", " = false"), (" = false", " = true"), ("guard !", "guard "), ("if !", "if "),
]
# Lines that are a statement of their own and can be left out.
STATEMENT = re.compile(
    r"^\s+(?:_ = |try\? |try )?[\w.\[\]!?]+(?:\([^{}]*\)| (?:&?[+\-]|\|)?= [^{}]*[^{},]|\.insert\(.*\))$")
DECLARATION = re.compile(r"^\s+(let|var|case|return)\b")


def in_text(file, text):
    """All mutants of a file."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        code = line.split("//")[0].rstrip()
        if not code.strip() or '"' in code or code.lstrip().startswith(("import", "public import")):
            continue
        for old, new in FLIPS:
            for count, match in enumerate(re.finditer("(?<!func)" + re.escape(old), code), start=1):
                changed = code[: match.start()] + new + code[match.end():]
                what = f"{old.strip()} -> {new.strip()}{nth(count)}"
                yield Mutant(file, number, what, (changed,), 1)
        seen = []
        for match in re.finditer(r"(?<![\w.])(0x[0-9a-fA-F_]+|\d+)(?![\w.])", code):
            value = int(match.group().replace("_", ""), 0) + 1
            number_text = hex(value) if match.group().startswith("0x") else str(value)
            changed = code[: match.start()] + number_text + code[match.end():]
            seen.append(match.group())
            what = f"{match.group()} -> {number_text}{nth(seen.count(match.group()))}"
            yield Mutant(file, number, what, (changed,), 1)
        following = lines[number + 1] if number + 1 < len(lines) else ""
        yield from of_statement(file, number, line, following)


def nth(count):
    """Which of the equal parts of a line is meant."""
    return "" if count == 1 else f" #{count}"


def of_statement(file, number, line, following):
    """The statement dropped, and swapped with the next one."""
    code = line.split("//")[0].rstrip()
    if not STATEMENT.match(code) or DECLARATION.match(code) or " = []" in code:
        return
    yield Mutant(file, number, "dropped", ("",), 1)
    if are_independent(code, following.split("//")[0].rstrip()):
        return
    if STATEMENT.match(following.split("//")[0].rstrip()) and not DECLARATION.match(following):
        yield Mutant(file, number, "swapped with the next line", (following, line), 2)


# A place, and a value that is a place, a literal or a new value made of such.
PLACE = r"(?:self\.)?[\w.]+(?:\[[\w.]+\][\w.]*)*"
ASSIGNMENT = re.compile(rf"^\s+({PLACE}) = ((?:[A-Z]\w*)?\([\w., :]*\)|[-.]?{PLACE}|\[:?\])$")


def are_independent(first, second):
    """Whether both statements set something, and neither what the other sets or reads: then their
    order means nothing, and nobody can look in between."""
    matches = [ASSIGNMENT.match(each) for each in (first, second)]
    if not all(matches):
        return False
    (one, value), (other, other_value) = (match.groups() for match in matches)

    def touches(place, text):
        names = {each.removeprefix("self.") for each in re.findall(r"[\w.\[\]]+", text)}
        place = place.removeprefix("self.")
        return any(name == place or name.startswith(place + ".") or place.startswith(name + ".")
                   or place.startswith(name + "[") for name in names)

    set_by_initializer = re.match(r"^\s+self\.\w+ = \w+$", first)
    if set_by_initializer:
        return not touches(one, "self." + other) and "self." not in other_value
    return not (touches(one, other) or touches(other, one) or touches(one, other_value)
                or touches(other, value))


def collect(root, folder, parts, without):
    """The mutants of a folder whose place has one of `parts`, if any are asked for."""
    found = []
    for path in sorted(pathlib.Path(root, folder).rglob("*.swift")):
        file = str(path.relative_to(root))
        if any(part in file for part in without):
            continue
        for mutant in in_text(file, path.read_text()):
            if not parts or any(part in mutant.place for part in parts):
                found.append(mutant)
    return found
