"""The canary: a message to oneself, found again in the mailbox; while it fails, follow-ups hold. Real Dovecot and Postfix."""
import email
import threading

import pytest
from aiosmtpd.controller import Controller
from conftest import days_ago, write_csv
from world import Folder, free_port, wait_for
from world.dovecot import PASSWORD
from world.nurture import Nurture, account, server


class Keep:
    """Takes every message, and keeps it for the test to deliver (or not)."""

    def __init__(self):
        self.messages = []

    async def handle_DATA(self, server, session, envelope):
        self.messages.append((envelope.rcpt_tos, envelope.content))
        return "250 2.0.0 Ok"


@pytest.fixture
def kept():
    keep = Keep()
    controller = Controller(keep, hostname="127.0.0.1", port=free_port())
    controller.start()
    keep.port = controller.port
    yield keep
    controller.stop()


@pytest.fixture
def make(world, anna):
    """make(port, canary): a daemon whose way out is that port, in the clear, and whose mailbox is Dovecot's."""
    made = []

    def start(port, canary):
        folder = Folder("nurture-canary-")
        way_in = server("imaps", world.dovecot.imaps, world.authority.file, anna, PASSWORD, extra='folders = [ "INBOX", "Junk" ]; poll = "1 second";')
        one = Nurture(folder, account(f'{{ url = "smtp://127.0.0.1:{port}"; tls = "none"; }}', way_in, address=f"Anna <{anna}>", extra=canary))
        made.append(one)
        connection = world.dovecot.login(anna)
        connection.create("Junk")
        connection.logout()
        one.start()
        one.wait_watching()
        return one
    yield start
    for one in made:
        status = one.stop()
        text = one.log_text()
        one.folder.close()
        assert status == 0 and "AddressSanitizer" not in text and "runtime error" not in text and "CRITICAL" not in text, text


def canary(one):
    return one.json("status")[0]["accounts"][0].get("canary", {})


def with_results(message, results):
    return f"Authentication-Results: mx.example.com; {results}\r\n".encode() + message


def deliver(world, anna, message, folder="INBOX"):
    if folder == "INBOX":
        world.dovecot.deliver(anna, message, sender=anna)
    else:
        connection = world.dovecot.login(anna)
        connection.append(folder, None, None, message)
        connection.logout()


class TestCanary:
    def test_on_demand_through_postfix(self, nurture, anna):
        one = nurture()
        one.start()
        one.wait_watching()
        found = one.json("doctor", "anna", "--canary")
        assert [(finding["check"], finding["level"]) for finding in found] == [("canary", "ok")], found
        assert "found in INBOX" in found[0]["found"]
        assert canary(one)["state"] == "passed"
        assert one.json("queue", "--all") == [] and one.json("contact", "list") == []
        later = {finding["check"]: finding["level"] for finding in one.json("doctor", "--json", check=False)}
        assert later["canary"] == "ok"

    @pytest.mark.parametrize("folder,results,state,words", [
        ("INBOX", "spf=pass; dkim=pass; dmarc=pass", "passed", "spf=pass dkim=pass dmarc=pass"),
        ("INBOX", "spf=pass; dmarc=fail", "failed", "spf=pass dmarc=fail"),
        ("Junk", "dmarc=pass", "failed", "dmarc=pass"),
    ], ids=["passes", "dmarc", "junk"])
    def test_what_the_mailbox_says(self, world, make, kept, anna, folder, results, state, words):
        one = make(kept.port, "canary = true;")
        wait_for(lambda: kept.messages, what=one.log_text)  # by itself, soon after the start
        to, message = kept.messages[0]
        assert to == [anna]
        write_csv(one, [("kari@kunde.example", "Kari", "pitching", days_ago(4), "en")])
        deliver(world, anna, with_results(message, results), folder)
        wait_for(lambda: canary(one).get("state") == state, what=one.log_text)
        assert canary(one)["results"] == words
        one.run("import", one.folder / "contacts.csv")
        gates = {gate["gate"]: gate for rule in one.json("why", "kari@kunde.example") for gate in rule.get("gates", [])}
        if state == "passed":
            wait_for(lambda: len(kept.messages) == 2, what=one.log_text)
            assert kept.messages[1][0] == ["kari@kunde.example"]
            return
        sending = one.json("status")[0]["accounts"][0]
        assert sending["sending"] == "canary" and folder in sending["sending_reason"]
        assert gates["canary"]["verdict"] == "wait" and folder in gates["canary"]["reason"]
        assert len(kept.messages) == 1  # the follow-up holds
        # another that arrives as it should lets it go
        one.run("reload")
        request = threading.Thread(target=lambda: one.run("doctor", "anna", "--canary", check=False))
        request.start()
        wait_for(lambda: len(kept.messages) == 2, what=one.log_text)
        deliver(world, anna, with_results(kept.messages[1][1], "dmarc=pass"))
        wait_for(lambda: len(kept.messages) == 3, what=one.log_text)
        assert kept.messages[2][0] == ["kari@kunde.example"]
        request.join()
        assert one.history("kari@kunde.example", "reply") == []

    def test_not_found_in_time(self, make, kept):
        one = make(kept.port, 'canary = { every = "1 day"; timeout = "2 seconds"; };')
        wait_for(lambda: canary(one).get("state") == "failed", what=one.log_text)
        assert "not found within 2 s" in canary(one)["reason"]
        found = {finding["check"]: finding for finding in one.json("doctor", "anna", check=False)}
        assert found["canary"]["level"] == "fail" and "junk" in found["canary"]["found"]

    def test_a_stranger_cannot_end_it(self, world, make, kept, anna):
        one = make(kept.port, "canary = true;")
        wait_for(lambda: kept.messages, what=one.log_text)
        real = email.message_from_bytes(kept.messages[0][1])["Message-ID"].strip()
        for sender, identifier in ((anna, "<guess@example.com>"), ("mallory@evil.example", real)):
            deliver(world, anna, f"From: {sender}\r\nTo: {anna}\r\nSubject: Does our mail arrive?\r\nMessage-ID: {identifier}\r\n\r\nx\r\n".encode())
        wait_for(lambda: one.log_text().count("event=ignored") == 2, what=one.log_text)
        assert canary(one)["state"] == "under way"

    def test_what_is_paused_is_silent_unless_asked(self, world, make, kept, anna):
        one = make(kept.port, "canary = true;")
        one.run("pause", "anna")  # within the five seconds before the first
        assert not kept.messages
        with pytest.raises(AssertionError):
            wait_for(lambda: kept.messages, 7)
        request = threading.Thread(target=lambda: one.run("doctor", "anna", "--canary", check=False))
        request.start()
        wait_for(lambda: kept.messages, what=one.log_text)
        deliver(world, anna, kept.messages[0][1])
        request.join()
        assert canary(one)["state"] == "passed"

    def test_a_refusal_is_told(self, make, kept, anna):
        one = make(9, "")  # nobody listens there
        found = one.json("doctor", "anna", "--canary", check=False)
        assert found[0]["level"] == "fail" and "could not be sent" in found[0]["found"]
        assert canary(one)["state"] == "not sent"

    def test_usage(self, make, kept):
        one = make(kept.port, "")
        refused = one.run("doctor", "--canary", check=False)
        assert refused.returncode == 2 and "ACCOUNT" in refused.stderr
