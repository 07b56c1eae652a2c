"""What must not leave any more does not, and the daemon ends in time, while a mail server takes for ever."""
import os
import signal
import sqlite3
import time

import pytest
from conftest import days_ago, wait_for, write_csv
from world import Folder
from world.nurture import Nurture, account
from world.slow_smtp import SlowSmtp

RULE = """{ name = "chase"; anchor = "stage"; when = { stage = "pitching"; };
  steps = ( { after = "3 days"; template = "pitch-1"; }, { after = "5 days"; template = "pitch-2"; } ); }"""


@pytest.fixture
def slow():
    server = SlowSmtp()
    yield server
    server.release()
    server.close()


@pytest.fixture
def make():
    made = []

    def make(smtp, **options):
        names = options.pop("names", ["anna"])
        accounts = ", ".join(account(smtp, name=name, address=f"{name}@example.com") for name in names)
        one = Nurture(Folder("nurture-test-"), accounts, **{"rules": RULE, **options})
        made.append(one)
        return one
    yield make
    for one in made:
        status = one.stop()
        text = one.log_text() if os.path.exists(one.log) else ""
        one.folder.close()
        assert status == 0, f"nurtured ended with {status}: {text}"
        assert "AddressSanitizer" not in text and "runtime error" not in text, text


def smtp_of(server, extra=""):
    return f'{{ url = "smtp://127.0.0.1:{server.port}"; tls = "none"; connections = 1; {extra} }}'


def pitched(*addresses):
    return [(address, "Kari", "pitching", days_ago(4), "en") for address in addresses]


def state_of(one, address):
    return [message["state"] for message in one.json("queue", "list", "--all") if message["contact"] == address]


class TestStops:
    """One connection: the first message waits for its answer, the second is claimed and waits behind it."""

    @pytest.mark.parametrize("stop, state", [
        (("contact", "stage", "second@kunde.example", "research"), "cancelled"),
        (("contact", "pause", "second@kunde.example"), "queued"),
    ])
    def test_what_was_claimed_and_not_begun_does_not_leave_after_a_stop(self, slow, make, stop, state):
        slow.hold()
        one = make(smtp_of(slow))
        one.run("import", write_csv(one, pitched("first@kunde.example", "second@kunde.example")))
        one.start()
        wait_for(lambda: len(slow.taken) == 1, 20)
        wait_for(lambda: state_of(one, "second@kunde.example") == ["sending"], 10)
        one.run(*stop)
        time.sleep(1)
        slow.release()
        wait_for(lambda: state_of(one, "first@kunde.example") == ["sent"], 10)
        wait_for(lambda: state_of(one, "second@kunde.example") == [state], 10)
        assert slow.recipients == ["first@kunde.example"]

    def test_a_pause_that_ends_lets_it_go_once(self, slow, make):
        slow.hold()
        one = make(smtp_of(slow))
        one.run("import", write_csv(one, pitched("first@kunde.example", "second@kunde.example")))
        one.start()
        wait_for(lambda: state_of(one, "second@kunde.example") == ["sending"], 20)
        one.run("contact", "pause", "second@kunde.example")
        time.sleep(0.5)
        slow.release()
        wait_for(lambda: state_of(one, "second@kunde.example") == ["queued"], 10)
        one.run("contact", "resume", "second@kunde.example")
        wait_for(lambda: state_of(one, "second@kunde.example") == ["sent"], 10)
        assert sorted(slow.recipients) == ["first@kunde.example", "second@kunde.example"]

    def test_somebody_forgotten_while_their_message_waits_gets_none(self, slow, make):
        slow.hold()
        one = make(smtp_of(slow))
        one.run("import", write_csv(one, pitched("first@kunde.example", "second@kunde.example")))
        one.start()
        wait_for(lambda: state_of(one, "second@kunde.example") == ["sending"], 20)
        one.run("contact", "forget", "second@kunde.example", "--yes")
        time.sleep(0.5)
        slow.release()
        wait_for(lambda: state_of(one, "first@kunde.example") == ["sent"], 10)
        time.sleep(1)
        assert slow.recipients == ["first@kunde.example"]


class TestReloads:
    def test_messages_of_an_account_that_is_gone_go_by_the_one_that_took_its_place(self, slow, make):
        one = make(smtp_of(slow), names=["anna", "ben"])
        one.start()
        one.run("pause")
        one.run("import", write_csv(one, pitched("first@kunde.example")))
        wait_for(lambda: state_of(one, "first@kunde.example") == ["queued"], 10)
        text = open(one.config, encoding="utf-8").read()
        gone = account(smtp_of(slow), name="anna", address="anna@example.com") + ", "
        assert gone in text
        one.folder.write("nurture.conf", text.replace(gone, ""), mode=0o600)
        one.run("reload")
        one.run("resume")
        wait_for(lambda: state_of(one, "first@kunde.example") == ["sent"], 10)
        assert b"From: <ben@example.com>" in slow.taken[0] or b"From: ben@example.com" in slow.taken[0]

    def test_an_account_put_before_the_first_takes_over_its_people(self, slow, make):
        one = make(smtp_of(slow), names=["anna"])
        one.start()
        one.run("pause")
        one.run("import", write_csv(one, pitched("first@kunde.example")))
        wait_for(lambda: state_of(one, "first@kunde.example") == ["queued"], 10)
        text = open(one.config, encoding="utf-8").read()
        new = account(smtp_of(slow), name="ben", address="ben@example.com")
        one.folder.write("nurture.conf", text.replace("accounts = ( ", f"accounts = ( {new}, "), mode=0o600)
        one.run("reload")
        one.run("resume")
        wait_for(lambda: state_of(one, "first@kunde.example") == ["sent"], 10)
        assert b"ben@example.com" in slow.taken[0] and b"anna@example.com" not in slow.taken[0]


class TestServersThatDoNotAnswer:
    def test_the_queue_is_not_spent_on_a_server_that_drops_every_message(self, make):
        import socket
        import threading
        taken, listener = [], socket.create_server(("127.0.0.1", 0))

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, connection.makefile("rwb") as stream:
                    def say(text):
                        stream.write(text + b"\r\n")
                        stream.flush()
                    say(b"220 drops.example ESMTP")
                    for line in stream:
                        if line[:4].upper() == b"DATA":
                            say(b"354 go on")
                            while stream.readline() not in (b".\r\n", b""):
                                pass
                            taken.append(1)
                            break
                        say(b"250 ok")
        threading.Thread(target=serve, daemon=True).start()
        one = make(f'{{ url = "smtp://127.0.0.1:{listener.getsockname()[1]}"; tls = "none"; connections = 1; }}')
        one.run("import", write_csv(one, pitched(*[f"k{n}@kunde.example" for n in range(40)])))
        one.start()
        wait_for(lambda: taken, 20)
        time.sleep(4)
        listener.close()
        assert len(taken) <= 4  # those claimed before the first outcome was known
        assert one.json("status")[0]["accounts"][0]["sending"] == "unreachable"


class TestTheEnd:
    def ends_soon(self, one, within=15):
        began = time.monotonic()
        one.process.send_signal(signal.SIGTERM)
        assert one.process.wait(30) == 0
        assert time.monotonic() - began < within, one.log_text()
        one.process = None

    def test_several_accounts_whose_servers_hang_end_together(self, slow, make):
        slow.hold()
        names = ["anna", "ben", "cis", "dag"]
        one = make(smtp_of(slow), names=names)
        rows = [(f"k@{name}.example", "Kari", "pitching", days_ago(4), "en", name) for name in names]
        one.run("import", write_csv(one, rows, columns="email,first_name,stage,stage_since,language,owner"))
        one.start()
        wait_for(lambda: len(slow.taken) == len(names), 20)
        self.ends_soon(one)
        one.start()
        assert {state for name in names for state in state_of(one, f"k@{name}.example")} == {"uncertain"}

    @pytest.mark.parametrize("command", ["sleep 120", "sleep 120; echo x", "(sleep 120; echo x) & wait"])
    def test_a_password_command_that_hangs_holds_nothing_up(self, slow, make, command):
        one = make(smtp_of(slow, f'user = "anna"; password_command = "{command}";'))
        one.run("import", write_csv(one, pitched("first@kunde.example")))
        one.start()
        wait_for(lambda: state_of(one, "first@kunde.example") == ["sending"], 20)
        self.ends_soon(one)
        assert slow.recipients == []
        one.start()
        assert state_of(one, "first@kunde.example") != ["uncertain"]  # it never left, and that is known

    def test_a_large_import_being_decided_does_not(self, slow, make):
        one = make(smtp_of(slow))
        one.start()
        one.run("import", write_csv(one, pitched(*[f"k{n}@kunde.example" for n in range(20000)])))
        self.ends_soon(one)

    def test_a_store_that_another_program_locks_holds_it_up_for_seconds_only(self, slow, make):
        slow.hold()
        names = ["anna", "ben", "cis"]
        one = make(smtp_of(slow), names=names)
        rows = [(f"k{n}@{name}.example", "Kari", "pitching", days_ago(4), "en", name) for name in names for n in range(4)]
        one.run("import", write_csv(one, rows, columns="email,first_name,stage,stage_since,language,owner"))
        one.start()
        wait_for(lambda: len(slow.taken) == len(names), 20)
        locked = sqlite3.connect(one.folder / "nurture.db", isolation_level=None)
        locked.execute("BEGIN IMMEDIATE")
        slow.release()
        time.sleep(1)
        self.ends_soon(one, within=15)  # before systemd loses patience
        locked.execute("ROLLBACK")
        locked.close()
        sent = sorted(slow.recipients)
        one.start()
        states = {address: state_of(one, address) for address in sent}
        assert set(sum(states.values(), [])) <= {"sent", "uncertain"}, states


class TestStore:
    def test_outcomes_wait_for_a_store_that_is_locked_and_none_is_sent_twice(self, slow, make):
        slow.hold()
        one = make(smtp_of(slow))
        addresses = [f"k{n}@kunde.example" for n in range(6)]
        one.run("import", write_csv(one, pitched(*addresses)))
        one.start()
        wait_for(lambda: slow.taken, 20)
        locked = sqlite3.connect(one.folder / "nurture.db", isolation_level=None)
        locked.execute("BEGIN IMMEDIATE")
        slow.release()
        time.sleep(7)  # longer than the daemon waits for the lock
        locked.execute("ROLLBACK")
        locked.close()
        wait_for(lambda: all(state_of(one, address) == ["sent"] for address in addresses), 40, one.log_text)
        assert sorted(slow.recipients) == addresses
        assert "event=store-fault" in one.log_text()
