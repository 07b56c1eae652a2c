"""The mailbox on a real Dovecot through restarts, kills, copies and changed folders; and servers that mean harm."""
import os
import signal
import subprocess
import time

import pytest
from conftest import PASSWORD, days_ago, parse, reply_to, wait_for, write_csv
from world import Folder, free_port
from world.authority import Authority
from world.dovecot import Dovecot
from world.nurture import Nurture, account, server


@pytest.fixture
def mailbox(request):
    """A Dovecot of the test's own, and a Nurture that reads it and writes through a port where nobody answers."""
    class Mailbox:
        pass
    box, folder = Mailbox(), Folder("nurture-box-")
    box.folder, authority = folder, Authority(folder.path)
    certificate, key = authority.issue("server")
    box.dovecot = Dovecot(folder, certificate, key).start()
    box.user = "anna@example.com"
    way_in = server("imaps", box.dovecot.imaps, authority.file, box.user, PASSWORD, extra='folders = [ "INBOX", "Svar/Åpne" ];')
    box.one = Nurture(Folder("nurture-one-"), account(server("smtp", free_port()), way_in), rules="")
    connection = box.dovecot.login(box.user)
    connection.create("Svar/&AMU-pne")
    connection.logout()
    box.one.run("import", write_csv(box.one, [(f"p{i}@kunde.example", "P", "pitching", days_ago(4), "en") for i in range(1200)]))
    yield box
    status = box.one.stop()
    text = box.one.log_text()
    box.dovecot.stop()
    box.one.folder.close()
    folder.close()
    assert status == 0 and "AddressSanitizer" not in text and "runtime error" not in text, text[-3000:]


def letter(n, person=None, extra=""):
    return (f"From: P <p{n if person is None else person}@kunde.example>\r\nTo: anna@example.com\r\nSubject: s{n}\r\nMessage-ID: <m{n}@kunde.example>\r\n"
            f"Date: Tue, 24 Nov 2026 09:00:00 +0000\r\n{extra}\r\nanswer {n}\r\n").encode()


def replies(one):
    return sum(len(one.history(f"p{n}@kunde.example", "reply")) for n in range(5))


class TestDovecot:
    def test_a_first_run_begins_at_the_present_end(self, mailbox):
        mailbox.dovecot.deliver(mailbox.user, letter(0))
        mailbox.one.start().wait_watching()
        mailbox.dovecot.deliver(mailbox.user, letter(1))
        wait_for(lambda: mailbox.one.history("p1@kunde.example", "reply"), 10)
        assert not mailbox.one.history("p0@kunde.example", "reply")

    def test_a_server_that_restarts_loses_nothing(self, mailbox):
        mailbox.one.start().wait_watching()
        mailbox.dovecot.stop()
        mailbox.dovecot.start()
        mailbox.dovecot.deliver(mailbox.user, letter(1))
        wait_for(lambda: mailbox.one.history("p1@kunde.example", "reply"), 20)

    def test_1000_messages_at_once_are_filed_once_each(self, mailbox):
        mailbox.one.start().wait_watching()
        import smtplib
        with smtplib.LMTP("127.0.0.1", mailbox.dovecot.lmtp) as lmtp:
            for n in range(1000):
                lmtp.sendmail("x@y.example", [mailbox.user], letter(n))
        wait_for(lambda: mailbox.one.history("p999@kunde.example", "reply"), 60)
        mailbox.one.wait_watching()
        for n in (0, 1, 500, 998, 999):
            assert len(mailbox.one.history(f"p{n}@kunde.example", "reply")) == 1
        assert mailbox.one.log_text().count("event=reply") == 1000
        assert all(b"\\Seen" not in flags for flags, _ in mailbox.dovecot.messages(mailbox.user))

    def test_kills_of_the_watcher_and_of_the_daemon_file_each_message_once(self, mailbox):
        mailbox.one.start().wait_watching()
        for n in range(5):
            mailbox.dovecot.deliver(mailbox.user, letter(n))
            if n % 2:
                os.kill(mailbox.one.json("status")[0]["accounts"][0]["watcher_pid"], signal.SIGKILL)
            else:
                time.sleep(0.05 * n)
                mailbox.one.kill()
                mailbox.one.start()
            wait_for(lambda: mailbox.one.json("status")[0]["accounts"][0].get("mailbox") == "watching", 30)
        wait_for(lambda: replies(mailbox.one) >= 5, 20)
        time.sleep(0.5)
        assert [len(mailbox.one.history(f"p{n}@kunde.example", "reply")) for n in range(5)] == [1] * 5

    @pytest.mark.parametrize("point", ["intake-before-commit:1", "intake-after-commit:1"])
    def test_a_crash_around_the_commit_files_each_message_once(self, mailbox, point):
        mailbox.one.start().wait_watching()
        mailbox.one.stop()
        for n in range(4):
            mailbox.dovecot.deliver(mailbox.user, letter(n))
        mailbox.one.start(wait=False, environment={"NURTURE_CRASH_AT": point})
        assert mailbox.one.process.wait(20) == -signal.SIGKILL
        mailbox.one.process = None
        mailbox.one.start().wait_watching()
        assert [len(mailbox.one.history(f"p{n}@kunde.example", "reply")) for n in range(4)] == [1] * 4

    def test_a_changed_uidvalidity_and_copies_in_a_second_folder_change_nothing(self, mailbox):
        mailbox.one.start().wait_watching()
        mailbox.dovecot.deliver(mailbox.user, letter(1))
        wait_for(lambda: mailbox.one.history("p1@kunde.example", "reply"), 10)
        connection = mailbox.dovecot.login(mailbox.user)
        connection.select("INBOX")
        connection.copy("1", "Svar/&AMU-pne")
        connection.logout()
        mailbox.one.stop()
        time.sleep(1.1)  # Dovecot's UIDVALIDITY is the second in which the index was made
        for name in os.listdir(mailbox.folder / f"homes/{mailbox.user}/Maildir"):
            if name.startswith("dovecot"):  # a rebuilt index: new UIDVALIDITY, new UIDs
                os.unlink(mailbox.folder / f"homes/{mailbox.user}/Maildir/{name}")
        mailbox.dovecot.deliver(mailbox.user, letter(2))
        mailbox.one.start().wait_watching()
        wait_for(lambda: mailbox.one.history("p2@kunde.example", "reply"), 20)
        assert len(mailbox.one.history("p1@kunde.example", "reply")) == 1

    def test_a_second_folder_with_a_name_beyond_ascii_is_read_too(self, mailbox):
        mailbox.one.start().wait_watching()
        connection = mailbox.dovecot.login(mailbox.user)
        connection.append("Svar/&AMU-pne", None, None, letter(3))
        connection.append("INBOX", None, None, letter(4))  # wakes the watcher
        connection.logout()
        wait_for(lambda: mailbox.one.history("p3@kunde.example", "reply"), 20)


class TestHostileServers:
    @pytest.mark.parametrize("mode", ["permanentflags", "brackets", "literal-eof", "hugeliteral", "flood", "drop", "drip", "silent"])
    def test_the_watcher_is_ended_and_the_daemon_goes_on(self, request, world, postfix, customer, mode):
        peer = subprocess.Popen(["/usr/bin/python3", os.path.join(os.path.dirname(__file__), "..", "peers", "evilimap.py"), mode], stdout=subprocess.PIPE, text=True)
        port = int(peer.stdout.readline())
        way_in = server("imap", port, None, "anna", "x", host="127.0.0.1", extra='tls = "none"; read_back = "7 days";')
        good = account(server("smtp", postfix.smtp, world.authority.file), name="good", address="Good <good@example.com>")
        bad = account(server("smtp", postfix.smtp, world.authority.file), way_in, name="bad", address="Bad <bad@example.com>")
        one = Nurture(Folder("nurture-evil-"), good + ", " + bad, blind_after="1 second")
        request.addfinalizer(lambda: (one.stop(), peer.kill(), one.folder.close()))
        one.run("import", write_csv(one, [(customer(), "Kari", "pitching", days_ago(4), "good")], columns="email,first_name,stage,stage_since,owner"))
        one.start()
        wait_for(lambda: world.dovecot.messages(customer()), 20)  # others' mail goes out
        if mode not in ("drip", "silent"):
            wait_for(lambda: "event=mailbox-unreachable" in one.log_text() or mode == "drop" or "mailbox-watched" in one.log_text(), 30, what=one.log_text)
        status = [entry for entry in one.json("status")[0]["accounts"] if entry["account"] == "bad"][0]
        assert status["mailbox"] != "watching" or mode in ("brackets", "permanentflags"), status
        with open(f"/proc/{one.process.pid}/statm", encoding="ascii") as statm:
            resident = int(statm.read().split()[1]) * 4096
        assert resident < 400 << 20  # a sanitizer's shadow included
        assert one.process.poll() is None
