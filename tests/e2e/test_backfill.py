"""Back reading on a real Dovecot: old conversation is filed in both directions, once, and nothing follows from it."""
import os
import signal
import subprocess

import pytest
from conftest import PASSWORD, days_ago, wait_for, write_csv
from world import Folder, free_port
from world.authority import Authority
from world.dovecot import Dovecot
from world.nurture import BIN, Nurture, account, server

KARI, OLA, ANNA = "kari@kunde.example", "ola@kunde.example", "anna@example.com"
RULE = """{ name = "chase"; anchor = "stage"; when = { stage = "pitching"; }; steps = ( { after = "60 days"; template = "pitch-1"; } ); }"""
OLD = 12  # letters of each of the two


@pytest.fixture(scope="module")
def box():
    """A mailbox with old letters of two people, of a stranger and of machines, and what was written to one of them by hand."""
    class Box:
        pass
    made, folder = Box(), Folder("nurture-old-")
    authority = Authority(folder.path)
    made.authority = authority
    made.dovecot = Dovecot(folder, *authority.issue("server")).start()
    for n in range(OLD):
        for who in (KARI, OLA):
            made.dovecot.deliver(ANNA, letter(who, ANNA, f"{who[:3]}{n}"))
    made.dovecot.deliver(ANNA, letter("stranger@else.example", ANNA, "stranger"))
    made.dovecot.deliver(ANNA, letter(KARI, ANNA, "stop", text="unsubscribe"))
    made.dovecot.deliver(ANNA, letter("mailer-daemon@kunde.example", ANNA, "bounce", text=f"{KARI}: user unknown", extra="Subject: Undelivered Mail\r\n"))
    made.dovecot.deliver(ANNA, letter(KARI, ANNA, "away", extra="Auto-Submitted: auto-replied\r\n"))
    connection = made.dovecot.login(ANNA)
    connection.create("Sent")
    connection.append("Sent", None, None, letter(ANNA, f"{KARI}, boss@example.com", "hand"))
    connection.logout()
    yield made
    made.dovecot.stop()
    folder.close()


def letter(sender, to, n, text="some words", extra=""):
    subject = "" if "Subject:" in extra else f"Subject: s {n}\r\n"
    return (f"From: {sender}\r\nTo: {to}\r\n{subject}Message-ID: <old-{n}@kunde.example>\r\nDate: Tue, 24 Nov 2026 09:00:00 +0000\r\n{extra}\r\n"
            f"{text} {'' if text == 'unsubscribe' else n}\r\n").replace("unsubscribe \r\n", "unsubscribe\r\n").encode()


@pytest.fixture
def one(box):
    """One whose daemon has never read the mailbox, and that knows Kari."""
    way_in = server("imaps", box.dovecot.imaps, box.authority.file, ANNA, PASSWORD, extra='sent_folder = "Sent";')
    made = Nurture(Folder("nurture-one-"), account(server("smtp", free_port()), way_in), rules=RULE)
    made.run("import", write_csv(made, [(KARI, "Kari", "pitching", days_ago(1), "en")]))
    yield made
    assert made.stop() == 0
    text = made.log_text() if os.path.exists(made.log) else ""
    made.folder.close()
    assert "AddressSanitizer" not in text and "runtime error" not in text, text[-3000:]


def kinds(one, who):
    counts = {}
    for entry in one.history(who):
        if entry["detail"] == "filed by nurture backfill":
            counts[entry["kind"]] = counts.get(entry["kind"], 0) + 1
    return counts


WHOLE = {"reply": OLD + 1, "auto-reply": 1, "sent": 1}  # the wish to stop is a person's words, too


def test_old_mail_is_filed_both_ways_without_any_effect_beside_the_daemon(one, box):
    one.start().wait_watching()
    wait_for(lambda: one.json("contact", "show", KARI)[0]["enrolments"], 10)
    assert one.json("backfill", "anna", "--days", "30")[0]["filed"] == sum(WHOLE.values())
    assert kinds(one, KARI) == WHOLE
    entry = one.history(KARI, "reply")[0]
    assert entry["text"].startswith("some words") and entry["message_id"].startswith("old-")
    shown = one.json("contact", "show", KARI)[0]
    assert shown["enrolments"][0]["state"] == "active" and "paused_until" not in shown
    assert one.json("suppression", "list") == []
    # a person who is added later is found by another run, and nobody's letters twice
    one.run("import", write_csv(one, [(OLA, "Ola", "pitching", days_ago(1), "en")]))
    assert one.json("backfill", "anna", "--days", "30")[0]["filed"] == OLD
    assert one.json("backfill", "anna", "--days", "30")[0]["filed"] == 0
    assert kinds(one, KARI) == WHOLE and kinds(one, OLA) == {"reply": OLD}
    assert one.json("contact", "show", OLA)[0]["enrolments"][0]["state"] == "active"
    # what comes now has its effect as ever
    box.dovecot.deliver(ANNA, letter(KARI, ANNA, "new"))
    wait_for(lambda: one.json("contact", "show", KARI)[0]["enrolments"][0]["state"] == "ended", 10)


def test_an_interruption_is_gone_on_from(one):
    command = [os.path.join(BIN, "nurture"), "-c", one.config, "backfill", "anna", "--days", "31"]
    died = subprocess.run(command, env={**os.environ, "NURTURE_CRASH_AT": "backfill-after-commit:9"}, capture_output=True, timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL
    before = sum(kinds(one, KARI).values())
    assert 0 < before < sum(WHOLE.values())
    again = one.json("backfill", "anna", "--days", "31")[0]
    assert again["filed"] + before >= sum(WHOLE.values())
    done = kinds(one, KARI)
    assert done["auto-reply"] == 1 and done["sent"] == 1 and len({e["message_id"] for e in one.history(KARI)}) == len(one.history(KARI))


def test_one_folder_alone_and_what_cannot_be(one):
    assert one.json("backfill", "anna", "--days", "30", "--folder", "Sent")[0]["filed"] == 1
    assert kinds(one, KARI) == {"sent": 1}
    missing = one.run("backfill", "anna", "--days", "30", "--folder", "Nowhere", check=False)
    assert missing.returncode == 1 and "Nowhere" in missing.stderr
    for bad, status in ((["anna"], 2), (["anna", "--days", "0"], 2), (["nobody", "--days", "3"], 1), (["--days", "3"], 2)):
        assert one.run("backfill", *bad, check=False).returncode == status
