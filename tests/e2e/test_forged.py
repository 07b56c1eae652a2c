"""What comes in on a real Postfix and a real Dovecot: forged mail, loops, farewells; and what the owner is told."""
import os

import pytest

from conftest import days_ago, parse, reply_to, wait_for, write_csv

RULES = """{ name = "quick"; anchor = "stage"; notify = "at once"; when = { stage = "pitching"; };
    steps = ( { after = "0 seconds"; template = "pitch-1"; }, { after = "30 days"; template = "pitch-2"; } ); }"""
REPORT = ("From: MAILER-DAEMON@{domain}\r\nTo: {to}\r\nSubject: Undelivered\r\nMessage-ID: <{n}@b.example>\r\nMIME-Version: 1.0\r\n"
          "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nfailed\r\n"
          "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; b.example\r\n\r\nFinal-Recipient: rfc822; {who}\r\nAction: failed\r\n"
          "Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 unknown\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {id}\r\n\r\n--b--\r\n")


def inbox(world, address):
    return [parse(message) for _, message in world.dovecot.messages(address)]


def letter(sender, to, text, n, subject="hi", extra=""):
    return f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n{extra}Message-ID: <{n}@x.example>\r\n\r\n{text}\r\n".encode()


@pytest.fixture
def written(world, nurture, customer, anna):
    """Two people on their way, each of whom has got the first message."""
    one = nurture(rules=RULES)
    one.run("import", write_csv(one, [(customer(0), "Kari", "pitching", days_ago(1), "en"), (customer(1), "Per", "pitching", days_ago(1), "en")]))
    one.start().wait_watching()
    one.mails = [wait_for(lambda i=i: inbox(world, customer(i)), 20)[0] for i in (0, 1)]
    return one


def test_nothing_follows_from_what_a_stranger_forges(world, written, customer, anna):
    forged = [
        (letter("evil@stranger.example", anna, "unsubscribe", "f1", "unsubscribe u-1-aaaaaaaaaaaaaaaaaaaa"), "from nobody known"),
        (letter("evil@stranger.example", anna, "Yes!", "f2", extra="In-Reply-To: <guessed@example.com>\r\n"), "from nobody known"),
        (REPORT.format(domain="kunde.example", to=anna, n="f3", who=customer(0), id="<never-sent@example.com>").encode(), "names no message that was sent"),
        (letter(anna, anna, "stop", "f4", extra=f"In-Reply-To: {written.mails[0]['Message-ID'].strip()}\r\n"), "written by ourselves"),
        (world.dovecot.messages(customer(0))[0][1], "written by ourselves"),
        (letter("robot@stranger.example", anna, "I am away", "f5", "Automatic reply: hi", "Auto-Submitted: auto-replied\r\n"), "from nobody known"),
    ]
    for content, _ in forged:
        world.dovecot.deliver(anna, content)
    lines = wait_for(lambda: (found := [line for line in written.log_text().splitlines() if "event=ignored" in line])[len(forged) - 1:] and found, 15,
                     what=lambda: written.log_text()[-3000:])
    for why in {why for _, why in forged}:
        assert sum(why in line for line in lines) >= sum(why == each for _, each in forged), lines
    for i in (0, 1):
        assert not written.history(customer(i), "reply", "bounce", "unsubscribe", "auto-reply")
        assert written.json("contact", "show", customer(i))[0]["enrolments"][0]["state"] == "active"
    assert written.json("suppression", "list") == []


def test_two_automatic_answers_do_not_hold_somebody_for_ever(world, written, customer, anna):
    for n in range(7):
        world.dovecot.deliver(anna, letter(customer(0), anna, "I have got your mail", f"l{n}-{customer(0)}", "Automatic reply: hi", "Auto-Submitted: auto-replied\r\n"))
    wait_for(lambda: "a loop: too many automatic answers" in written.log_text(), 15, what=lambda: written.log_text()[-3000:])
    assert len(written.history(customer(0), "auto-reply")) == 5


def test_the_owner_is_told_at_once_and_nothing_comes_of_that_mail(world, written, customer, anna):
    world.dovecot.deliver(anna, reply_to(written.mails[0], customer(0), anna, "Ja takk, ring meg."))
    notice = wait_for(lambda: [mail for mail in inbox(world, anna) if mail["Auto-Submitted"] == "auto-generated"], 20,
                      what=lambda: written.log_text()[-3000:])[0]
    assert customer(0) in notice["Subject"] and notice["Subject"].endswith("answered")
    assert "> Ja takk, ring meg." in notice.get_body(("plain",)).get_content()
    assert notice["To"].addresses[0].addr_spec == anna and notice["List-Unsubscribe"] is None
    wait_for(lambda: [line for line in written.log_text().splitlines() if "event=ignored" in line and "written by ourselves" in line], 10)
    world.dovecot.deliver(anna, REPORT.format(domain="b.example", to=anna, n="n1", who=anna, id=notice["Message-ID"].strip()).encode())
    wait_for(lambda: "names no message that was sent" in written.log_text(), 10)
    assert len(written.json("queue", "list", "--all")) == 2
    assert sum("event=notice-sent" in line for line in written.log_text().splitlines()) == 1


def test_who_has_left_is_a_proposal_and_a_persons_yes_adds_the_successor(world, written, customer, anna):
    sam = "sam.vik@" + customer(0).split("@")[1]
    world.dovecot.deliver(anna, letter(customer(0), anna, f"I have left. Please contact Sam Vik, {sam}.", "p1", "Automatic reply: hi",
                                       f"Auto-Submitted: auto-replied\r\nIn-Reply-To: {written.mails[0]['Message-ID'].strip()}\r\n"))
    proposal = wait_for(lambda: written.json("proposal", "list"), 10, what=lambda: written.log_text()[-3000:])[0]
    assert (proposal["contact"], proposal["kind"], proposal["address"], proposal["name"]) == (customer(0), "successor", sam, "Sam Vik")
    assert written.run("contact", "show", sam, check=False).returncode == 1
    assert "I have left" in written.run("proposal", "show", str(proposal["id"])).stdout
    assert written.json("proposal", "accept", str(proposal["id"]))[0]["state"] == "accepted"
    added = written.json("contact", "show", sam)[0]
    assert added["first_name"] == "Sam" and added["source"] == "successor" and added["stage"] == "research"
    assert written.json("contact", "show", customer(0))[0].get("paused_until") or "paused" in written.run("contact", "show", customer(0)).stdout
    assert written.run("proposal", "accept", str(proposal["id"]), check=False).returncode == 1
    assert written.json("proposal", "list") == []
    new = "per.ny@" + customer(1).split("@")[1]
    world.dovecot.deliver(anna, letter(customer(1), anna, f"My new e-mail address is {new}", "p2", extra=f"In-Reply-To: {written.mails[1]['Message-ID'].strip()}\r\n"))
    proposal = wait_for(lambda: written.json("proposal", "list"), 10)[0]
    written.run("proposal", "accept", str(proposal["id"]))
    moved = written.json("contact", "show", customer(1))[0]
    assert moved["email"] == new and moved["aliases"] == [customer(1)]
    for bad, status in ((["accept"], 2), (["accept", "x"], 1), (["decline", "999"], 1), (["list", "--nope"], 2)):
        assert written.run("proposal", *bad, check=False).returncode == status


def test_what_cannot_be_read_is_kept_whole_and_counted_and_nothing_stops(world, written, customer, anna):
    octets = b"\xff\xfe no head\r\nand no end " + bytes(range(128, 256)) * 20
    connection = world.dovecot.login(anna)
    connection.append("INBOX", None, None, octets)
    connection.logout()
    world.dovecot.deliver(anna, letter(customer(0), anna, "still read", f"after-{customer(0)}"))
    wait_for(lambda: written.history(customer(0), "reply"), 15, what=lambda: written.log_text()[-3000:])
    assert written.json("status")[0]["unreadable"] == 1
    line = next(line for line in written.log_text().splitlines() if "event=unreadable" in line)
    path = line.split(" file=")[1].split(" ")[0].strip('"')
    assert os.stat(path).st_mode & 0o777 == 0o600
    with open(path, "rb") as kept:
        assert kept.read() == octets
    assert "could not be read: 1" in written.run("status").stdout
