"""nurture forecast against the reference scheduler: random rules, contacts and calendars, the same messages at the same times."""
import collections
import copy
import json
import os
import random
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from generate import Generator, describe, start_of  # noqa: E402
from program import Program  # noqa: E402
from reference import Reference  # noqa: E402
from rules import Sending  # noqa: E402
from times import DAY, Duration, Window, parse, text_of  # noqa: E402

from world import Folder  # noqa: E402

ANY_TIME = Sending("UTC", Window(frozenset(range(7)), 0, 1440), Duration(0, "days"), Duration(0, "days"))


def difference(reference, file, mine, theirs):
    """What to say where they do not agree: at most three contacts concerned, and the configuration."""
    off, lines = (collections.Counter(mine) - collections.Counter(theirs)) + (collections.Counter(theirs) - collections.Counter(mine)), []
    for email in sorted({email for _, email, _ in off})[:3]:
        lines.append(describe(reference.contacts[email]))
        for name, found in (("nurture", theirs), ("reference", mine)):
            lines.append(f"  {name}: " + ", ".join(f"{text_of(at)} {step}" for at, who, step in found if who == email))
    with open(file, encoding="utf-8") as config:
        return f"{off.total()} differ\n" + "\n".join(lines) + "\n" + config.read()


@pytest.mark.rounds(20)
def test_the_same_messages_at_the_same_times(seed):
    rng = random.Random(seed)
    now = start_of(rng)
    generator = Generator(rng, now)
    contacts = generator.contacts(100)
    folder = Folder("nurture-model-")
    program = Program(folder, port=9)  # nothing is ever sent: a daemon without rules lends its clock
    try:
        program.write([], ANY_TIME)
        program.start("--clock", text_of(now), "--speed", "0.000001")
        program.bring_in(contacts)
        for n in range(5):
            sending = generator.sending()
            rules = generator.rules(rng.randint(3, 8), sending)
            file = program.write(rules, sending, f"other-{n}.conf")
            days = rng.choice([30, 90])
            reference = Reference(rules, sending, now)
            for contact in contacts:
                reference.add_contact(copy.deepcopy(contact))
            reference.run(now + days * DAY)
            mine = sorted((at // 1000 * 1000, email, step) for at, email, step in reference.sent)
            said = program.run("-c", file, "forecast", "--days", str(days), "--json").stdout
            theirs = sorted((parse(m["at"]) // 1000 * 1000, m["contact"], m["step"]) for m in map(json.loads, said.splitlines()))
            assert theirs == mine, difference(reference, file, mine, theirs)
        assert program.stop() == 0, program.log_text()
    finally:
        program.stop()
        folder.close()
