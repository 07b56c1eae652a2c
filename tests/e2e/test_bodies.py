"""What is composed arrives byte for byte, through a real Postfix into a real mailbox, at every size around the buffers on the way: leading dots, bare
line ends, blank lines at the end, very many lines."""
import os
import random

from conftest import days_ago, wait_for

SEED = int(os.environ.get("BODIES_SEED", "20261124"))
SIZES = [0, 1, 510, 1020, 4096, 16384 - 700, 16384, 16384 + 1, 32768, 65536 - 1200, 65536 - 700, 65536, 65536 + 3, 131072, 200_000]


def line(rng):
    kind = rng.randrange(6)
    if kind == 0:
        return "." * rng.randint(1, 80)
    if kind == 1:
        return "." + rng.choice(["", " ", ".", "\r", "QUIT"])
    if kind == 2:
        return ""
    return "".join(rng.choice("abc .,æø€") for _ in range(rng.randint(1, 90)))


def body(rng, size):
    """About so many bytes; some with nothing but dots, some with bare carriage returns as other systems' files have them."""
    lines, length = [], 0
    only_dots = rng.random() < 0.2
    while length < size:
        text = "." if only_dots else line(rng)
        lines.append(text)
        length += len(text.encode()) + 2
    return "\n".join(lines)


def content(message):
    """The bytes behind the header."""
    return message.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1]


class TestBodies:
    def test_bodies_arrive_as_composed_at_every_size(self, world, nurture, request):
        rng = random.Random(SEED)
        bodies = [body(rng, size + rng.randint(-3, 3) if size > 10 else size) for size in SIZES]
        bodies.append("\n".join("." * (1 + i % 3) for i in range(100_000)))
        rules, rows = [], []
        one = nurture(rules="", templates=None)
        os.mkdir(one.folder / "bodies")
        for i, text in enumerate(bodies):
            with open(os.path.join(one.folder / "bodies", f"b{i}.txt"), "w", encoding="utf-8", newline="") as file:
                file.write(f"Subject: Body {i}\n\nSize {i}\n{text}\n")
            rules.append(f'{{ name = "r{i}"; anchor = "stage"; when = {{ tag = "t{i}"; }}; steps = ( {{ after = "1 day"; template = "b{i}"; }} ); }}')
            rows.append(f"body{i}-{SEED}@kunde.example,pitching,{days_ago(2)},t{i}\n")
        config = open(one.config, encoding="utf-8").read().replace('"None"', '"bodies"').replace("rules = (  )", f"rules = ( {', '.join(rules)} )")
        one.folder.write("nurture.conf", config, mode=0o600)
        one.run("import", one.folder.write("c.csv", "email,stage,stage_since,tags\n" + "".join(rows)))
        composed = [one.run("preview", f"r{i}", f"body{i}-{SEED}@kunde.example").stdout.encode() for i in range(len(bodies))]
        one.start()
        for i, want in enumerate(composed):
            mailbox = f"body{i}-{SEED}@kunde.example"
            wait_for(lambda: world.dovecot.messages(mailbox), 60, what=lambda: one.log_text()[-2000:])
            _, got = world.dovecot.messages(mailbox)[0]
            assert content(got) == content(want), f"seed {SEED}, body {i} of {len(bodies[i])} characters"
