"""All mutants in one build: a body with mutants becomes a switch over a number from the environment.

Building anew for each mutant takes most of the time; so each body stands in the build once as it is
and once for each of its mutants.
"""
import re

import bodies

SWITCH = """import Glibc

/// Which mutant runs; none by default.
public let mutantNumber: Int = unsafe getenv("MUTANT").flatMap { unsafe Int(String(cString: $0)) } ?? 0
"""
VARIABLE = "MUTANT"


class SwitchedFile:
    """A file with its mutants, by number."""

    def __init__(self, text, numbered):
        self.text = text
        self.places = bodies.bodies(text)
        self.places += bodies.values(text, self.places)
        self.copies = {}  # place -> [(number, copy)]
        self.alone = []  # in no place: to be built each by itself
        self.mutants = dict(numbered)
        for number, mutant in numbered:
            self.put(number, mutant.apply(text))

    def put(self, number, changed):
        grown = len(changed) - len(self.text)
        for first, end in self.places:
            if changed[:first] == self.text[:first] and changed[end + grown:] == self.text[end:]:
                self.copies.setdefault((first, end), []).append((number, changed[first: end + grown]))
                return
        self.alone.append(number)

    def leave_out(self, numbers):
        for place, copies in self.copies.items():
            self.copies[place] = [each for each in copies if each[0] not in numbers]

    def give_up(self, place):
        """Leaves to be tried alone what a switch cannot hold here.

        That is at first what lacks a statement, as an initializer that does not set everything in
        each case is refused as a whole; if there is nothing of the kind, all.
        """
        copies = self.copies[place]
        lacking = {number for number, _ in copies if self.mutants[number].what == "dropped"}
        given_up = lacking or {number for number, _ in copies}
        self.alone += sorted(given_up)
        self.leave_out(given_up)

    def render(self):
        """The text, and for each of its lines (from 1) the mutant or the place it is of."""
        out, lines, at = "", {}, 0

        def add(text, owner):
            nonlocal out
            first = out.count("\n") + 1
            out += text
            for line in range(first, out.count("\n") + 2):
                if owner is not None:
                    lines[line] = owner

        for place in sorted(place for place, copies in self.copies.items() if copies):
            add(self.text[at: place[0]], None)
            add("\nswitch mutantNumber {\n", place)
            for number, copy in self.copies[place]:
                add(f"case {number}:\n", place)
                add(filled(copy), number)
                add("\n", number)
            add("default:\n" + filled(self.text[place[0]: place[1]]) + "\n}\n", place)
            at = place[1]
        add(self.text[at:], None)
        return re.sub(r"@(inlinable|usableFromInline|frozen)\b", "", out), lines


def filled(copy):
    return copy if bodies.blank(copy).strip() else "break"


def errors(output):
    """The places of errors in what the compiler printed: (path, line)."""
    return {(path, int(line)) for path, line in re.findall(r"^(/\S+\.swift):(\d+):\d+: error:", output, re.M)}
