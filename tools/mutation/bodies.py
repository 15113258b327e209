"""Where the bodies of functions and the values of properties are in a Swift file.

Not a parser: it goes by braces and by the indentation that `swift format` gives.
"""
import re

TYPE = re.compile(r"\b(struct|enum|extension|class|protocol|actor)\s+[\w.]+")
ACCESSOR = re.compile(r"^\s*(?:@\w+\s+)*(?:mutating |nonmutating |borrowing )?(get|set|willSet|didSet|_read|_modify)\b")
PROPERTY = re.compile(r"^\s+(?:[\w()@]+ )*(?:let|var) \w+(?:: [^={]+)? = ")


def blank(text):
    """The text with what comments and strings say replaced by spaces."""
    out = list(text)
    at, depths = 0, []  # of each interpolation that is open: its parentheses
    in_string = False
    while at < len(text):
        two = text[at: at + 2]
        if in_string:
            if two == "\\(":
                depths.append(0)
                in_string = False
                at += 2
                continue
            if two[0] == "\\":
                out[at: at + 2] = "  "
                at += 2
                continue
            if two[0] == '"':
                in_string = False
            elif two[0] != "\n":
                out[at] = " "
        elif two == "//":
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            out[at:end] = " " * (end - at)
            at = end
            continue
        elif two[0] == '"':
            in_string = True
        elif depths and two[0] == "(":
            depths[-1] += 1
        elif depths and two[0] == ")":
            if depths[-1] == 0:
                depths.pop()
                in_string = True
            else:
                depths[-1] -= 1
        at += 1
    return "".join(out)


def head(code, brace):
    """What stands before a brace, from the line on that begins its declaration."""
    start = code.rfind("\n", 0, brace) + 1
    indent = len(code[start:]) - len(code[start:].lstrip(" "))
    lines = [code[start:brace]]
    while re.match(r"^\s*(\)|\{|where\b|$)", lines[0]) or (
            len(lines[0]) - len(lines[0].lstrip())) > indent:
        if start == 0:
            break
        end = start - 1
        start = code.rfind("\n", 0, end) + 1
        lines.insert(0, code[start:end])
    return "\n".join(lines)


def closing(code, brace):
    depth = 0
    for at in range(brace, len(code)):
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        if depth == 0:
            return at
    raise ValueError("a brace without its end")


def bodies(text):
    """The places (first, end) between the braces of each function and accessor."""
    code = blank(text)
    found, at = [], 0
    while (at := code.find("{", at)) >= 0:
        inside = code[at + 1:]
        if TYPE.search(head(code, at)) and "func " not in head(code, at) or ACCESSOR.match(inside):
            at += 1
            continue
        end = closing(code, at)
        found.append((at + 1, end))
        at = end
    return found


def values(text, taken):
    """The places of the values that properties of types begin with, outside of `taken`."""
    code = blank(text)
    found, at = [], 0
    for line in code.split("\n"):
        match = PROPERTY.match(line)
        if match and not any(first <= at < end for first, end in taken):
            start = at + match.end()
            found.append((start, value_end(code, start)))
        at += len(line) + 1
    return found


def value_end(code, start):
    """The end of the line in which all that was opened is closed."""
    depth = 0
    for at in range(start, len(code)):
        depth += {"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}.get(code[at], 0)
        if code[at] == "\n" and depth == 0:
            return at
    return len(code)
