"""Fixtures of the end-to-end tests: an authority, a Dovecot, a Postfix before it, and a nurtured of one's own for each test."""
import email
import email.policy
import email.utils
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from world import Folder, wait_for  # noqa: E402
from world.authority import Authority  # noqa: E402
from world.dovecot import PASSWORD, Dovecot  # noqa: E402
from world.nurture import Nurture, account, server  # noqa: E402
from world.postfix import Postfix  # noqa: E402

ANNA = "anna@example.com"


@pytest.fixture(scope="session")
def world():
    """The mail servers, started once: Dovecot with TLS, and, where it can run, Postfix delivering into it."""
    class World:
        pass
    world, folder = World(), Folder("nurture-world-")
    world.folder, world.authority = folder, Authority(folder.path)
    world.certificate, world.key = world.authority.issue("server")
    world.dovecot = Dovecot(folder, world.certificate, world.key).start()
    world.postfix = None
    world.no_postfix = Postfix.missing()
    if not world.no_postfix:
        world.postfix = Postfix(folder, world.dovecot, world.certificate, world.key,
                                ["example.com", "kunde.example", "andre.example"]).start()
    yield world
    if world.postfix:
        world.postfix.stop()
    world.dovecot.stop()
    folder.close()


@pytest.fixture
def postfix(world):
    if not world.postfix:
        pytest.skip(world.no_postfix)
    return world.postfix


def person(request):
    """A mailbox name of this test's own, so that tests share servers and not mail."""
    return request.node.name.replace("[", "-").replace("]", "").replace("_", "-").lower()[:40]


@pytest.fixture
def anna(request):
    return f"anna-{person(request)}@example.com"


@pytest.fixture
def nurture(request, world, postfix, anna):
    """make(…) gives a Nurture whose account is anna's, through Postfix and Dovecot with TLS; all are stopped at the end."""
    made = []

    def make(extra="", **options):
        folder = Folder("nurture-test-")
        out = server("smtp", postfix.smtp, world.authority.file, anna, PASSWORD, extra="connections = 4;")
        way_in = server("imaps", world.dovecot.imaps, world.authority.file, anna, PASSWORD)
        one = Nurture(folder, account(out, way_in, address=f"Anna Berg <{anna}>", extra=extra), **options)
        made.append(one)
        return one
    yield make
    for one in made:
        status = one.stop()
        text = one.log_text() if os.path.exists(one.log) else ""
        one.folder.close()
        assert status == 0, f"nurtured ended with {status}: {text}"
        assert "AddressSanitizer" not in text and "runtime error" not in text and "CRITICAL" not in text, text


@pytest.fixture
def customer(request):
    return lambda n=0: f"k{n}-{person(request)}@kunde.example"


def parse(message):
    return email.message_from_bytes(message, policy=email.policy.default)


def reply_to(mail, sender, to, body, **headers):
    """The bytes of an answer to mail, as a mail program writes it."""
    answer = email.message.EmailMessage(policy=email.policy.SMTP)
    answer["From"], answer["To"], answer["Subject"] = sender, to, "Re: " + mail["Subject"]
    answer["Date"], answer["Message-ID"] = email.utils.localtime(), email.utils.make_msgid(domain="kunde.example")
    answer["In-Reply-To"] = answer["References"] = mail["Message-ID"].strip()
    for name, value in headers.items():
        answer[name.replace("_", "-")] = value
    quoted = "".join(f"> {line}\n" for line in mail.get_body(("plain",)).get_content().splitlines())
    answer.set_content(f"{body}\n\nOn Tue, 24 Nov 2026 at 09:00, Anna Berg <{to}> wrote:\n\n{quoted}")
    return answer.as_bytes()


def days_ago(days):
    import datetime
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_csv(nurture, rows, columns="email,first_name,stage,stage_since,language"):
    return nurture.folder.write("contacts.csv", columns + "\n" + "".join(",".join(row) + "\n" for row in rows))
