"""The Sent folder on a real Dovecot: copies filed once through kills, doubt settled by what lies there, mail by hand filed."""
import email.message
import email.policy
import email.utils
import os
import signal
import time

import pytest
from conftest import PASSWORD, days_ago, parse, wait_for, write_csv
from world import Folder
from world.nurture import Nurture, account, server
from world.slow_smtp import SlowSmtp

RULE = '{ name = "pitch"; anchor = "stage"; when = { stage = "pitching"; }; steps = ( { after = "1 day"; template = "pitch-1"; } ); }'


@pytest.fixture
def slow():
    one = SlowSmtp()
    yield one
    one.release()
    one.close()


@pytest.fixture
def make(request, world, slow, anna):
    """make(imap="…", account="…") gives a Nurture that writes through an SMTP server that keeps no copies, and reads at Dovecot."""
    made = []

    def make(imap="", extra="", port=slow.port, **options):
        way_in = server("imaps", world.dovecot.imaps, world.authority.file, anna, PASSWORD, extra=f'poll = "1 second"; {imap}')
        way_out = server("smtp", port, extra='tls = "none"; connections = 2;')
        one = Nurture(Folder("nurture-sent-"), account(way_out, way_in, address=f"Anna Berg <{anna}>", extra=extra), rules=RULE, **options)
        made.append(one)
        return one
    yield make
    for one in made:
        status = one.stop()
        text = one.log_text() if os.path.exists(one.log) else ""
        one.folder.close()
        assert status == 0 and "AddressSanitizer" not in text and "runtime error" not in text and "CRITICAL" not in text, text[-3000:]


@pytest.fixture
def sent(world, anna):
    """sent() gives [(flags, bytes)] of anna's Sent folder; sent(folder) of another."""
    return lambda folder="Sent": world.dovecot.messages(anna, folder)


@pytest.fixture
def put(world, anna):
    """put(bytes, folder) puts a message there, as another mail program, or the provider, does."""
    def put(message, folder="Sent"):
        connection = world.dovecot.login(anna)
        connection.append(folder, "(\\Seen)", None, message)
        connection.logout()
    return put


def people(one, *addresses):
    one.run("import", write_csv(one, [(address, "Kari", "pitching", days_ago(2), "en") for address in addresses]))


def states(one):
    return {row["contact"]: row["state"] for row in one.json("queue", "list", "--all")}


def ids(messages):
    return sorted(parse(message)["Message-ID"].strip() for _, message in messages)


def status_of(one):
    return one.json("status")[0]["accounts"][0]


def letter(anna, to, subject="By hand", cc="", text="Shall we meet on Friday?", **headers):
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"], message["Subject"] = f"Anna Berg <{anna}>", to, subject
    if cc:
        message["Cc"] = cc
    message["Date"], message["Message-ID"] = email.utils.localtime(), email.utils.make_msgid(domain="mua.example")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text + "\n")
    return message.as_bytes()


class TestCopies:
    def test_a_copy_of_what_was_sent_lies_in_sent_as_it_was_sent(self, make, slow, sent, customer):
        one = make("save_sent = true;")
        people(one, *[customer(n) for n in range(20)])
        one.start()
        wait_for(lambda: len(sent()) == 20 and len(slow.taken) == 20, 30, one.log_text)
        given = {parse(message)["Message-ID"].strip(): message for message in slow.taken}
        for flags, message in sent():
            assert b"\\Seen" in flags
            assert message.replace(b"\r\n.", b"\r\n..") == given[parse(message)["Message-ID"].strip()]
        time.sleep(2.5)  # the watcher meets them in Sent: they are ours
        assert len(sent()) == 20
        assert [len(one.history(customer(n), "sent")) for n in range(20)] == [1] * 20
        assert all(entry["rule"] == "pitch" for entry in one.history(customer(0), "sent"))
        assert status_of(one)["sent_folder"] == "watched" and "copies_waiting" not in status_of(one)

    def test_without_save_sent_nothing_is_filed(self, make, slow, sent, customer):
        one = make()
        people(one, customer())
        one.start()
        wait_for(lambda: states(one) == {customer(): "sent"}, 20, one.log_text)
        time.sleep(2)
        assert sent() == []

    def test_a_folder_of_another_name_beyond_ascii(self, make, world, anna, sent, customer):
        connection = world.dovecot.login(anna)
        connection.create('"Sendt/&AMU-pne \\"x\\""')
        connection.logout()
        one = make('save_sent = true; sent_folder = "Sendt/Åpne \\"x\\"";')
        people(one, customer())
        one.start()
        wait_for(lambda: sent('"Sendt/&AMU-pne \\"x\\""'), 20, one.log_text)
        assert sent() == []

    def test_a_missing_folder_is_told_and_replies_are_read_all_the_same(self, make, world, anna, sent, customer):
        one = make('save_sent = true; sent_folder = "Nirgends";')
        people(one, customer())
        one.start()
        wait_for(lambda: status_of(one).get("copies_reason"), 20, one.log_text)
        status = status_of(one)
        assert status["copies_waiting"] == 1 and "Nirgends" in status["copies_reason"] and status["copies_retry_in_s"] > 30
        assert "Nirgends" in status["sent_folder"] and status["mailbox"] == "watching" and not status["blind"]
        assert "Nirgends" in one.run("status").stdout
        world.dovecot.deliver(anna, f"From: {customer()}\r\nTo: {anna}\r\nSubject: x\r\nMessage-ID: <r@kunde.example>\r\n\r\nYes\r\n".encode())
        wait_for(lambda: one.history(customer(), "reply"), 10, one.log_text)
        connection = world.dovecot.login(anna)
        connection.create("Nirgends")
        connection.logout()
        wait_for(lambda: status_of(one)["sent_folder"] == "watched", 10, one.log_text)
        one.stop()
        one.start()  # which does not wait for the back-off's end
        wait_for(lambda: sent("Nirgends"), 20, one.log_text)
        wait_for(lambda: "copies_waiting" not in status_of(one), 10, one.log_text)

    @pytest.mark.parametrize("point", ["outcome-before-commit:3", "outcome-after-commit:3", "copy-asked", "copy-asked:5", "copy-answered",
                                       "copy-answered:4", "copy-committed:2"], ids=lambda point: point.replace(":", "-"))
    def test_kills_file_once(self, make, slow, sent, customer, point):
        one = make("save_sent = true;")
        people(one, *[customer(n) for n in range(8)])
        one.start(wait=False, environment={"NURTURE_CRASH_AT": point})
        assert one.process.wait(30) == -signal.SIGKILL
        one.process = None
        one.start()
        wait_for(lambda: set(states(one).values()) <= {"sent", "uncertain"}, 30, one.log_text)
        certain = [row["message_id"] for row in one.json("queue", "list", "--all") if row["state"] == "sent"]
        wait_for(lambda: "copies_waiting" not in status_of(one), 30, one.log_text)
        assert len(set(slow.recipients)) == len(slow.recipients) and len(certain) >= 4
        assert ids(sent()) == sorted(f"<{one_id}>" for one_id in certain)

    def test_kills_of_the_watcher_file_each_copy_once(self, make, slow, sent, customer):
        one = make("save_sent = true;")
        one.start().wait_watching()
        people(one, *[customer(n) for n in range(60)])
        for n in range(3):
            wait_for(lambda: len(slow.taken) > 10 * n, 20, one.log_text)
            if status_of(one).get("watcher_pid"):
                os.kill(status_of(one)["watcher_pid"], signal.SIGKILL)
        wait_for(lambda: set(states(one).values()) == {"sent"}, 30, one.log_text)
        wait_for(lambda: "copies_waiting" not in status_of(one), 90, one.log_text)
        assert len(set(ids(sent()))) == len(sent()) == 60


class TestDoubt:
    def in_doubt(self, one, slow, address):
        """Sent, and killed before the answer is on disk: the bytes that the server took."""
        people(one, address)
        one.start(wait=False, environment={"NURTURE_CRASH_AT": "delivery-answered"})
        assert one.process.wait(30) == -signal.SIGKILL
        one.process = None
        return slow.taken[-1]

    @pytest.mark.parametrize("watch", ["true", "false"])
    def test_what_lies_in_sent_was_sent(self, make, slow, put, customer, watch):
        one = make(f"watch_sent = {watch};")
        one.start().wait_watching()  # the cursor stands before it
        one.stop()
        put(self.in_doubt(one, slow, customer()))
        one.start()
        wait_for(lambda: states(one) == {customer(): "sent"}, 30, one.log_text)
        filed = one.history(customer(), "sent")
        assert [(entry["rule"], entry["detail"]) for entry in filed] == [("pitch", "found in the Sent folder")]
        assert len(slow.recipients) == 1 and one.json("queue") == []

    def test_kills_while_it_is_searched_for_search_again(self, make, slow, put, customer):
        one = make("watch_sent = false;")
        put(self.in_doubt(one, slow, customer()))
        for point in ("search-asked", "search-before-commit"):
            one.start(wait=False, environment={"NURTURE_CRASH_AT": point})
            assert one.process.wait(30) == -signal.SIGKILL
            one.process = None
            assert states(one) == {customer(): "uncertain"}
        one.start()
        wait_for(lambda: states(one) == {customer(): "sent"}, 30, one.log_text)
        assert len(slow.recipients) == 1

    def test_what_is_not_there_stays_held_and_the_queue_says_what_was_tried(self, make, slow, customer):
        one = make()
        self.in_doubt(one, slow, customer())
        one.start()
        row = one.json("queue")[0]
        assert row["state"] == "uncertain" and row["searches"] == 0 and "looked for in the Sent folder" in row["reason"], row
        wait_for(lambda: one.json("queue")[0]["searches"] == 1, 30, one.log_text)
        assert "1 time" in one.run("queue").stdout
        one.stop()
        one.start("--clock", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60)), "--speed", "1000")
        wait_for(lambda: one.json("queue")[0]["searches"] == 4, 30, one.log_text)
        row = one.json("queue")[0]
        assert row["state"] == "uncertain" and "decide" in row["reason"] and "search_at" not in row, row
        assert len(slow.recipients) == 1

    def test_on_uncertain_resend_waits_for_the_searches(self, make, slow, customer):
        one = make(extra='on_uncertain = "resend";')
        self.in_doubt(one, slow, customer())
        one.start()
        wait_for(lambda: one.json("queue")[0].get("searches") == 1, 30, one.log_text)
        assert len(slow.recipients) == 1 and states(one) == {customer(): "uncertain"}
        one.stop()
        one.start("--clock", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60)), "--speed", "1000")
        wait_for(lambda: states(one) == {customer(): "sent"}, 40, one.log_text)
        first, second = (parse(message)["Message-ID"] for message in slow.taken)
        assert first == second


class TestByHand:
    def test_mail_to_known_people_is_filed_with_each_of_them_once(self, make, put, world, anna, customer):
        one = make(extra="")
        people(one, customer(1), customer(2), customer(3))
        one.run("pause", check=False)
        put(letter(anna, customer(3), "Long ago"))
        one.start().wait_watching()
        mail = letter(anna, f"Kari <{customer(1)}>, stranger@ukjent.example", cc=f"{customer(2)}, boss@example.com")
        put(mail)
        world.dovecot.deliver(anna, mail)  # and a copy to oneself, which says nothing
        put(letter(anna, customer(1), "Away", Auto_Submitted="auto-replied"))
        wait_for(lambda: one.history(customer(2), "sent"), 20, one.log_text)
        put(mail, "Sent")  # another copy
        time.sleep(2.5)
        for n in (1, 2):
            filed = [entry for entry in one.history(customer(n), "sent") if not entry.get("rule")]
            assert [(entry["detail"], entry["subject"], entry["text"].strip()) for entry in filed] == \
                [("by hand", "By hand", "Shall we meet on Friday?")]
        assert not [entry for entry in one.history(customer(3), "sent") if not entry.get("rule")]
        assert not one.history(customer(1), "reply", "auto-reply")

    def test_it_counts_as_contact(self, make, slow, put, anna, customer):
        one = make()
        with open(one.config, encoding="utf-8") as file:
            text = file.read().replace("sending = {", 'sending = { quiet_after_contact = "3 days";')
        one.folder.write("nurture.conf", text, mode=0o600)
        one.start().wait_watching()
        slow.hold()  # nothing else is answered
        one.run("contact", "add", customer(), "--stage", "research")
        put(letter(anna, customer()))
        wait_for(lambda: one.history(customer(), "sent"), 20, one.log_text)
        people(one, customer())
        wait_for(lambda: one.json("queue"), 10, one.log_text)
        time.sleep(1)
        row = one.json("queue")[0]
        assert row["state"] == "queued" and slow.recipients == [], row
