"""The command `nurture` on a store of its own, without a daemon: what each command does, and what each says of bad input."""
import email
import email.policy
import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import time

import pytest
from world import Folder
from world.nurture import BIN, Nurture, account

KARI = "kari@kunde.example"
HEADER = "email,first_name,last_name,company,stage,stage_since,tags,owner,language,time_zone,plan\n"
ROW = "kari@kunde.example,Kari,Nordmann,Fjord AS,pitching,2026-11-01,\"happy,vip\",anna,nb-NO,Europe/Oslo,gold\n"
KEYS = {"at", "kind", "rule", "step", "subject", "text", "message_id", "detail"}
QUEUE_KEYS = {"id", "contact", "rule", "step", "state", "due_at", "attempts", "reason", "message_id"}


@pytest.fixture
def folder():
    one = Folder("nurture-cli-")
    yield one
    one.close()


@pytest.fixture
def one(folder):
    smtp = '{ url = "smtp://127.0.0.1:9"; tls = "none"; }'
    nurture = Nurture(folder, accounts=account(smtp))
    yield nurture
    nurture.stop()


@pytest.fixture
def kari(one):
    one.run("import", csv(one, HEADER + ROW))
    return one


def csv(one, text, name="people.csv"):
    path = one.folder / name
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return str(path)


def contact(one, address=KARI):
    return one.json("contact", "show", address)[0]


def counts(one, *arguments, check=True):
    return one.json("import", *arguments, check=check)[0]


class TestImport:
    def test_adds_then_changes_nothing_then_changes_what_differs(self, one):
        path = csv(one, HEADER + ROW)
        assert counts(one, path) == {"added": 1, "changed": 0, "unchanged": 0, "bad": 0, "dry_run": False}
        before = dump(one)
        assert counts(one, path)["unchanged"] == 1
        assert dump(one) == before
        csv(one, HEADER + ROW.replace("gold", "silver"))
        assert counts(one, path)["changed"] == 1
        person = contact(one)
        assert person["attributes"] == {"plan": "silver"} and person["tags"] == ["happy", "vip"] and person["language"] == "nb-NO"
        assert person["stage_since"] == "2026-10-31T23:00:00Z"

    def test_an_empty_cell_leaves_what_is_there(self, kari):
        kari.run("import", csv(kari, "email,first_name,company,plan,stage\nkari@kunde.example,,,,\n"))
        person = contact(kari)
        assert person["first_name"] == "Kari" and person["company"] == "Fjord AS" and person["attributes"] == {"plan": "gold"}
        assert person["stage"] == "pitching"

    def test_dry_run_writes_nothing(self, one):
        path = csv(one, HEADER + ROW)
        assert counts(one, path, "--dry-run") == {"added": 1, "changed": 0, "unchanged": 0, "bad": 0, "dry_run": True}
        assert not os.path.exists(one.folder / "nurture.db")
        one.run("import", path)
        before = dump(one)
        csv(one, HEADER + ROW.replace("gold", "tin") + ROW.replace("kari@", "liv@"))
        assert counts(one, path, "--dry-run") == {"added": 1, "changed": 1, "unchanged": 0, "bad": 0, "dry_run": True}
        assert dump(one) == before

    def test_bad_rows_are_listed_with_line_and_column_and_left_out(self, one):
        path = csv(one, "email,stage,stage_since,time_zone,language,owner\n"
                        "ola,pitching,,,,\n"
                        "a@b.example,pichting,,,,\n"
                        "a@b.example,pitching,2199-01-01,,,\n"
                        "a@b.example,pitching,first of May,,,\n"
                        "a@b.example,,,Europe/Olso,,\n"
                        "a@b.example,,,,norwegian,\n"
                        "a@b.example,,,,,anan\n"
                        "anna@example.com,pitching,,,,\n"
                        "a@b.example,pitching\n"
                        "\"good@b.example\",\"pitching\",,,,\n"
                        "\"two\nlines\"@b.example,,,,,\n"
                        ",pitching,,,,\n")
        result = one.run("import", path, check=False)
        assert result.returncode == 1
        lines = result.stderr.splitlines()
        wanted = [(2, 'column "email"', "ola"), (3, 'column "stage"', 'did you mean "pitching"?'), (4, 'column "stage_since"', "in the future"),
                  (5, 'column "stage_since"', "first of May"), (6, 'column "time_zone"', "Europe/Olso"), (7, 'column "language"', "norwegian"),
                  (8, 'column "owner"', 'did you mean "anna"?'), (9, 'column "email"', "our own people"), (10, "", "2 values"),
                  (12, "", "quotation mark"), (13, "", "quotation mark"), (14, 'column "email"', "no address")]
        assert len(lines) == len(wanted), result.stderr
        for line, (number, column, what) in zip(lines, wanted):
            assert line.startswith(f"{path}:{number}: ") and column in line and what in line, line
        assert result.stdout == "1 added, 0 changed, 0 unchanged, 12 bad\n"
        assert [person["email"] for person in one.json("contact", "list")] == ["good@b.example"]

    def test_of_two_rows_with_one_address_the_later_counts_field_by_field_also_the_second_time(self, one):
        path = csv(one, "email,first_name,last_name,company,tags,plan\n"
                        "kari@kunde.example,Wrong,Nordmann,Fjord AS,happy,gold\n"
                        "ola@kunde.example,Ola,,,,\n"
                        "KARI@kunde.example,Kåri,,,vip,\n"
                        "kari@kunde.example,Kari,,,,silver\n")
        first = one.run("import", path)
        assert f"{path}:4: kari@kunde.example stands on line 2 as well; where both say something, the later row counts" in first.stderr
        assert f"{path}:5: kari@kunde.example stands on line 4 as well" in first.stderr
        assert first.stdout.startswith("2 added, 0 changed, 0 unchanged, 0 bad")
        person = contact(one)
        assert (person["first_name"], person["last_name"], person["company"]) == ("Kari", "Nordmann", "Fjord AS")
        assert person["tags"] == ["happy", "vip"] and person["attributes"] == {"plan": "silver"}
        before = dump(one)
        assert counts(one, path)["unchanged"] == 2 and dump(one) == before

    @pytest.mark.parametrize("later, stage, since", [
        (",,,Asia/Tokyo", "pitching", "2026-11-01T05:00:00Z"),               # a date stays that of its own row's zone
        ("pitching,,,", "pitching", "2026-11-01T05:00:00Z"),
        ("pitching,2026-11-02,,", "pitching", "2026-11-01T23:00:00Z"),       # and of the later row's, which has none
        ("qualifying,,,", "qualifying", None),                               # the date is not that of this stage
        (",,2026-11-03,", "pitching", "2026-11-01T05:00:00Z"),
    ])
    def test_a_date_goes_with_its_row(self, one, later, stage, since):
        one.run("import", csv(one, "email,stage,stage_since,customer_since,time_zone\n"
                                   f"kari@kunde.example,pitching,2026-11-01,,America/Chicago\nkari@kunde.example,{later}\n"))
        person = contact(one)
        assert person["stage"] == stage and (person["stage_since"] == since or not since and person["stage_since"] > "2026-11-23")
        assert ("customer_since" in person) == ("11-03" in later)

    @pytest.mark.parametrize("data", [
        b"\xef\xbb\xbfemail;first_name\r\nkari@kunde.example;K\xc3\xa5re\r\n",
        b"EMAIL\tFirst Name\nkari@kunde.example\tK\xc3\xa5re\n",
        b"email;first_name\r\nkari@kunde.example;K\xe5re\r\n",
        b"sep=;\r\nemail;first_name\r\nkari@kunde.example;\"K\xc3\xa5re\"",
    ])
    def test_files_as_spreadsheets_write_them(self, one, data):
        result = one.run("import", csv(one, data))
        assert contact(one)["first_name"] == "Kåre"
        assert ("Windows-1252" in result.stderr) == (b"K\xe5" in data)

    @pytest.mark.parametrize("data, says", [
        (b"", 'no column is "email"'),
        (b"e-mail,name\na@b.example,x\n", 'rename "e-mail" to email'),
        (b"email,Email\n", 'two columns mean "email"'),
        (b"email\na@b.example\0\n", "zero bytes"),
        ("email\na@b.example\n".encode("utf-16"), "UTF-16"),
        (b"\"email\na@b.example\n", "never closed"),
    ])
    def test_files_that_are_refused_whole(self, one, data, says):
        result = one.run("import", csv(one, data), check=False)
        assert result.returncode == 1 and says in result.stderr and "people.csv" in result.stderr and result.stdout == ""

    def test_a_missing_file(self, one):
        result = one.run("import", "/nonexistent/people.csv", check=False)
        assert result.returncode == 1 and "/nonexistent/people.csv" in result.stderr

    def test_an_interrupted_import_leaves_whole_batches_and_goes_on_the_next_time(self, one):
        total = 200000
        path = csv(one, "email,company\n" + "".join(f"n{i}@kunde.example,Fjord {i % 100}\n" for i in range(total)))
        process = subprocess.Popen([os.path.join(BIN, "nurture"), "-c", one.config, "import", path], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 60
        while process.poll() is None and stored(one) == 0 and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        if process.returncode == 0:
            pytest.skip("the import was done before the signal came")
        assert process.returncode == 1 and "interrupted" in err
        added = int(out.split()[0])
        assert added == stored(one) and added % 5000 == 0 and 0 < added < total
        rest = counts(one, path)
        assert rest["unchanged"] == added and rest["added"] == total - added

    def test_progress_is_shown_on_a_terminal_only(self, one):
        path = csv(one, "email\n" + "".join(f"n{i}@kunde.example\n" for i in range(100000)))
        assert "\r" not in one.run("import", path, "--dry-run").stderr
        master, slave = pty.openpty()
        process = subprocess.Popen([os.path.join(BIN, "nurture"), "-c", one.config, "import", path], stdout=subprocess.DEVNULL, stderr=slave)
        os.close(slave)
        began, shown = time.monotonic(), b""
        try:
            while chunk := os.read(master, 65536):
                shown += chunk
        except OSError:
            pass
        os.close(master)
        assert process.wait(60) == 0
        if time.monotonic() - began > 2:
            assert b"storing" in shown and b"%" in shown
        assert shown == b"" or shown.endswith(b"\r\033[K")


def stored(one):
    try:
        with sqlite3.connect(f"file:{one.folder / 'nurture.db'}?mode=ro", uri=True) as connection:
            return connection.execute("SELECT count(*) FROM contact").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def dump(one):
    with sqlite3.connect(f"file:{one.folder / 'nurture.db'}?mode=ro", uri=True) as connection:
        return list(connection.iterdump())


class TestContact:
    def test_add_show_set_stage_and_export(self, one):
        one.run("contact", "add", "Liv@Kunde.example", "--first-name", "Liv", "--stage", "Pitching", "--stage-since", "2026-11-01",
                "--tag", "vip", "--tag", "happy", "--attribute", "Plan=gold", "--time-zone", "Asia/Tokyo")
        person = contact(one, "liv@kunde.example")
        assert person["stage"] == "pitching" and person["stage_since"] == "2026-10-31T15:00:00Z"
        assert person["tags"] == ["happy", "vip"] and person["attributes"] == {"plan": "gold"}
        one.run("contact", "set", "liv@kunde.example", "--first-name", "", "--last-name", "Li", "--attribute", "plan=")
        person = contact(one, "liv@kunde.example")
        assert "first_name" not in person and person["last_name"] == "Li" and person["attributes"] == {}
        assert one.json("contact", "stage", "liv@kunde.example", "follow-up", "--since", "2026-11-10")[0]["result"] == "changed"
        assert one.json("contact", "stage", "liv@kunde.example", "follow-up")[0]["result"] == "unchanged"
        assert contact(one, "liv@kunde.example")["customer_since"] == "2026-11-09T15:00:00Z"
        assert [entry["detail"] for entry in one.history("liv@kunde.example", "stage")] == ["-> pitching", "pitching -> follow-up"]
        whole = json.loads(one.run("contact", "export", "liv@kunde.example").stdout)
        assert set(whole) == {"contact", "suppressions", "history", "enrolments", "messages", "tasks", "referrals", "referred_by", "proposals"} and len(whole["history"]) == 2

    def test_tags(self, kari):
        kari.run("contact", "tag", KARI, "+warm", "-happy", "met at fair")
        assert contact(kari)["tags"] == ["met at fair", "vip", "warm"]
        assert kari.json("contact", "tag", KARI, "-absent")[0]["result"] == "unchanged"

    def test_pause_and_resume(self, kari):
        assert contact(kari)["paused"] is False
        kari.run("contact", "pause", KARI, "--until", "2100-01-01")
        assert contact(kari)["paused_until"] == "2099-12-31T23:00:00Z"
        kari.run("contact", "pause", KARI)
        person = contact(kari)
        assert person["paused"] is True and "paused_until" not in person
        kari.run("contact", "resume", KARI)
        assert contact(kari)["paused"] is False

    def test_a_pause_that_is_over_is_none(self, kari):
        kari.run("contact", "pause", KARI, "--until", "2100-01-01")
        assert "paused until" in kari.run("contact", "show", KARI).stdout
        with sqlite3.connect(kari.folder / "nurture.db") as connection:
            connection.execute("UPDATE contact SET paused_until_ms = 1700000000000")
        for person in (contact(kari), kari.json("contact", "list")[0], kari.json("contact", "export", KARI)[0]["contact"]):
            assert person["paused"] is False and "paused_until" not in person
        assert "paused until" not in kari.run("contact", "show", KARI).stdout

    def test_forget_needs_a_yes(self, kari):
        refused = kari.run("contact", "forget", KARI, check=False, stdin="")
        assert refused.returncode == 2 and "--yes" in refused.stderr and contact(kari)
        kari.run("contact", "forget", KARI, "--yes")
        assert kari.run("contact", "show", KARI, check=False).returncode == 1

    def test_list_filters(self, kari):
        kari.run("contact", "add", "liv@andre.example", "--stage", "follow-up", "--company", "Andre AS")
        for arguments, wanted in [((), 2), (("--stage", "pitching"), 1), (("--tag", "happy"), 1), (("--company", "andre as"), 1),
                                  (("--customers",), 1), (("--search", "nordm"), 1), (("--owner", "anna"), 1), (("--tag", "none"), 0)]:
            assert len(kari.json("contact", "list", *arguments)) == wanted, arguments
        table = kari.run("contact", "list").stdout.splitlines()
        assert table[0].split() == ["EMAIL", "NAME", "COMPANY", "STAGE", "OWNER", "TAGS"] and KARI in table[1]

    @pytest.mark.parametrize("arguments, says", [
        (("add", KARI), "is a contact already"),
        (("add", "new@kunde.example", "--stage", "pichting"), 'did you mean "pitching"?'),
        (("add", "new@kunde.example", "--stage-since", "2199-01-01"), "--stage-since: \"2199-01-01\" is in the future"),
        (("add", "new@kunde.example", "--time-zone", "Oslo"), "Oslo"),
        (("add", "new@kunde.example", "--owner", "bob"), "write one of: anna"),
        (("add", "new@kunde.example", "--attribute", "plan"), "name=value"),
        (("add", "new@kunde.example", "--attribute", "stage=x"), "field of its own"),
        (("add", "not-an-address"), "not-an-address"),
        (("add", "anna@example.com"), "our own people"),
        (("set", "kari@kunde.exmaple", "--first-name", "K"), f"did you mean {KARI}?"),
        (("set", "nobody@nowhere.example"), "nurture contact add nobody@nowhere.example"),
        (("stage", KARI, "closing"), "STAGE: \"closing\" is no stage of the pipeline; write one of"),
        (("stage", KARI, "pitching", "--since", "2199-01-01"), "--since: \"2199-01-01\" is in the future"),
        (("tag", KARI, "+-x"), "no tag"),
        (("tag", KARI, "+"), "name of the tag is missing"),
        (("tag", KARI, "-,"), "name of the tag is missing"),
        (("set", KARI, "--tag", ""), "--tag: the name of the tag is missing"),
        (("pause", KARI, "--until", "2001-01-01"), "has passed"),
        (("list", "--stage", "pichting"), 'did you mean "pitching"?'),
    ])
    def test_bad_input_changes_nothing_and_says_what_to_write(self, kari, arguments, says):
        before = dump(kari)
        result = kari.run("contact", *arguments, check=False)
        assert result.returncode == 1 and says in result.stderr and result.stdout == ""
        assert dump(kari) == before

    def test_a_table_fits_the_terminal(self, kari):
        kari.run("contact", "set", KARI, "--company", "A very long name of a company that goes on and on and on, in the end, AS")
        narrow = subprocess.run([os.path.join(BIN, "nurture"), "-c", kari.config, "contact", "list"], capture_output=True, text=True,
                                env={**os.environ, "COLUMNS": "80"}, check=True)
        assert all(len(line) <= 80 for line in narrow.stdout.splitlines()) and "…" in narrow.stdout
        assert "in the end, AS" in kari.run("contact", "list").stdout


class TestHistoryAndLog:
    def test_what_is_logged_stands_in_the_history(self, kari):
        kari.run("log", KARI, "call", "Talked", "about", "price")
        kari.run("log", KARI, "note", "-", stdin="First line\nsecond \033[31mline\n")
        entries = kari.history(KARI)
        assert all(set(entry) == KEYS for entry in entries)
        assert [entry["kind"] for entry in entries] == ["stage", "call", "note"]
        assert entries[1]["text"] == "Talked about price" and entries[2]["text"].startswith("First line\nsecond")
        shown = kari.run("history", KARI).stdout
        assert "Talked about price" in shown and "\033" not in shown
        assert shown.index("-> pitching") < shown.index("Talked about price") < shown.index("First line")

    @pytest.mark.parametrize("arguments, status, says", [
        ((KARI, "cal", "x"), 2, 'did you mean "call"?'),
        ((KARI, "note"), 2, "TEXT is missing"),
        ((KARI, "note", " "), 1, "empty"),
        ((KARI, "note", "-"), 1, "empty"),
        (("kari@kunde.exampl", "note", "x"), 1, f"did you mean {KARI}?"),
    ])
    def test_bad_input(self, kari, arguments, status, says):
        result = kari.run("log", *arguments, check=False, stdin="")
        assert result.returncode == status and says in result.stderr
        assert [entry["kind"] for entry in kari.history(KARI)] == ["stage"]


@pytest.fixture
def queued(kari):
    """One message that the daemon has decided and that cannot leave: all sending is paused."""
    kari.run("contact", "stage", KARI, "pitching", "--since", days_ago(4))
    kari.start()
    kari.run("pause")
    deadline = time.monotonic() + 20
    while not kari.json("queue") and time.monotonic() < deadline:
        time.sleep(0.05)
    kari.stop()
    return kari


def days_ago(days):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * 86400))


class TestQueue:
    def test_nothing_is_stored_yet(self, one):
        result = one.run("queue", "--json")
        assert result.stdout == "" and "nothing is stored yet" in result.stderr

    def test_what_waits_for_its_account_says_why(self, queued):
        with sqlite3.connect(queued.folder / "nurture.db") as connection:
            connection.execute("UPDATE outbox SET state = 'queued', reason = ''")
        assert queued.json("queue")[0]["reason"] == "nurtured is not running"
        queued.start()
        assert queued.json("queue")[0]["reason"] == "paused by nurture pause"
        assert "paused by nurture pause" in queued.run("queue").stdout

    def test_keys_and_moves(self, queued):
        message, = queued.json("queue", "list")
        assert set(message) == QUEUE_KEYS and message["contact"] == KARI and message["step"] == "pitch-1"
        number = str(message["id"])

        def state(*command):
            result = queued.run("queue", *command, number, check=False)
            return result.returncode, queued.json("queue", "--all")[0]["state"], result.stderr

        assert state("hold")[:2] == (0, "held")
        status, now, said = state("hold")
        assert (status, now) == (1, "held") and "only one that is queued or deferred can be held" in said
        assert state("approve")[:2] == (0, "queued")
        set_state(queued, "uncertain")
        status, now, said = state("retry")
        assert (status, now) == (1, "uncertain") and "--yes" in said
        assert state("retry", "--yes")[:2] == (0, "queued")
        set_state(queued, "sending")
        status, now, said = state("cancel")
        assert (status, now) == (1, "sending") and "being sent" in said
        set_state(queued, "queued")
        assert state("cancel")[:2] == (0, "cancelled")
        assert queued.json("queue") == []
        status, now, said = state("approve")
        assert (status, now) == (1, "cancelled") and "only one that is held can be approved" in said

    def test_what_its_rule_no_longer_wants_cannot_be_sent_again(self, queued):
        message, = queued.json("queue")
        set_state(queued, "failed")
        with sqlite3.connect(queued.folder / "nurture.db") as connection:
            connection.execute("UPDATE enrolment SET state = 'ended', end_reason = 'bounce', due_ms = 0")
        result = queued.run("queue", "retry", str(message["id"]), check=False)
        assert result.returncode == 1 and "bounce" in result.stderr and queued.json("queue")[0]["state"] == "failed"

    def test_bad_ids(self, queued):
        for word, says in [("99", "there is no message 99"), ("x", '"x" is no ID'), ("-1", "unknown option")]:
            result = queued.run("queue", "hold", word, check=False)
            assert result.returncode != 0 and says in result.stderr
        mixed = queued.run("queue", "hold", "99", str(queued.json("queue")[0]["id"]), check=False)
        assert mixed.returncode == 1 and queued.json("queue")[0]["state"] == "held"

    def test_the_table_has_the_reason(self, queued):
        table = queued.run("queue").stdout.splitlines()
        assert table[0].split() == ["ID", "CONTACT", "RULE", "STEP", "STATE", "DUE", "TRIES", "REASON"] and KARI in table[1]


def set_state(one, state):
    with sqlite3.connect(one.folder / "nurture.db") as connection:
        connection.execute("UPDATE outbox SET state = ?, ended_ms = CASE WHEN ? = 'failed' THEN 1 ELSE 0 END", (state, state))


class TestPreview:
    def test_is_a_whole_message_without_defects(self, kari):
        kari.run("contact", "set", KARI, "--language", "en")
        raw = subprocess.run([os.path.join(BIN, "nurture"), "-c", kari.config, "preview", "after-pitch", KARI], capture_output=True, check=True)
        message = email.message_from_bytes(raw.stdout, policy=email.policy.strict)
        assert message["To"] == f"Kari Nordmann <{KARI}>" and message["Message-ID"].endswith("@example.com>")
        assert "Hi Kari" in message.get_body(("plain",)).get_content()
        assert message["List-Unsubscribe"] and message["In-Reply-To"] is None

    def test_a_step_of_the_same_thread_answers_the_one_before(self, kari):
        result = kari.run("preview", "after-pitch", KARI, "--step", "2")
        message = email.message_from_string(result.stdout, policy=email.policy.default)
        first = email.message_from_string(kari.run("preview", "after-pitch", KARI, "--step", "pitch-1").stdout, policy=email.policy.default)
        assert message["Subject"] == "Re: " + first["Subject"] and message["In-Reply-To"] == message["References"]
        assert message["In-Reply-To"] != message["Message-ID"] and "made up" in result.stderr

    def test_text_and_json(self, kari):
        assert kari.run("preview", "after-pitch", KARI, "--text").stdout.startswith("Subject: ")
        assert set(kari.json("preview", "after-pitch", KARI)[0]) == {"subject", "text", "message"}

    def test_a_value_that_came_with_a_mail_cannot_act_on_the_terminal(self, kari):
        with sqlite3.connect(kari.folder / "nurture.db") as connection:
            connection.execute("UPDATE contact SET first_name = ?", ("K\x1b[31m\u009b2J\u202eri",))
        shown = kari.run("preview", "after-pitch", KARI, "--text").stdout
        assert "2J" in shown and not set(shown) & set("\x1b\u009b\u202e")

    @pytest.mark.parametrize("arguments, says", [
        (("after-pich", KARI), 'did you mean "after-pitch"?'),
        (("after-pitch", KARI, "--step", "3"), "write a number from 1 to 2"),
        (("after-pitch", KARI, "--step", "pitch-9"), 'no step "pitch-9"'),
        (("after-pitch", "kari@kunde.exampl"), f"did you mean {KARI}?"),
    ])
    def test_bad_input(self, kari, arguments, says):
        result = kari.run("preview", *arguments, check=False)
        assert result.returncode == 1 and says in result.stderr and result.stdout == ""

    def test_a_message_with_a_hole_is_refused_with_the_reason(self, folder):
        os.mkdir(folder / "templates")
        folder.write("templates/gap.md", "Subject: Hello\n\nYour {{plan}} is {{colour}}.\n")
        rule = '{ name = "r"; anchor = "stage"; when = { stage = "pitching"; }; steps = ( { after = "1 day"; template = "gap"; } ); }'
        one = Nurture(folder, accounts=account('{ url = "smtp://127.0.0.1:9"; tls = "none"; }'), rules=rule, templates=folder / "templates")
        one.run("import", csv(one, HEADER + ROW))
        result = one.run("preview", "r", KARI, check=False)
        assert result.returncode == 1 and "colour" in result.stderr and "gap" in result.stderr and result.stdout == ""
        one.run("contact", "set", KARI, "--attribute", "colour=green")
        assert "Your gold is green." in one.run("preview", "r", KARI, "--text").stdout


class TestCheck:
    def test_good(self, one):
        assert "ok" in one.run("check").stdout

    def test_all_faults_of_all_files_at_once(self, folder):
        os.mkdir(folder / "templates")
        folder.write("templates/one.md", "Subject: Hello\n\n{{#open}}\n")
        folder.write("templates/two.md", "no subject\n\nbody\n")
        rule = ('{ name = "r"; anchor = "stage"; when = { stage = "pitching"; }; '
                'steps = ( { after = "1 day"; template = "one"; }, { after = "1 day"; template = "three"; } ); }')
        one = Nurture(folder, accounts=account('{ url = "smtp://127.0.0.1:9"; tls = "none"; }'), rules=rule, templates=folder / "templates")
        result = one.run("check", check=False)
        assert result.returncode == 1 and result.stdout == ""
        for part in ("one.md:", "two.md:", "three"):
            assert part in result.stderr

    def test_faults_of_the_configuration(self, one):
        text = open(one.config, encoding="utf-8").read()
        one.folder.write("nurture.conf", text.replace("organisation", "organization").replace("min_gap", "min_gab"), mode=0o600)
        result = one.run("check", check=False)
        assert result.returncode == 1 and 'did you mean "organisation"' in result.stderr and 'did you mean "min_gap"' in result.stderr
        assert all(line.startswith(f"{one.config}:") for line in result.stderr.splitlines())

    def test_no_such_file(self, one):
        one.config = "/nonexistent/nurtured.conf"
        result = one.run("check", check=False)
        assert result.returncode == 1 and "/nonexistent/nurtured.conf" in result.stderr


REPLY = (b"From: Kari Nordmann <kari@kunde.example>\r\nTo: anna@example.com\r\nSubject: Re: Hello\r\nMessage-ID: <r1@kunde.example>\r\n"
         b"In-Reply-To: <m1@example.com>\r\nReferences: <m0@example.com> <m1@example.com>\r\n\r\n"
         b"Yes, please.\r\n\r\nOn Mon, 2 Nov 2026 at 10:00, Anna Berg wrote:\r\n> Shall we?\r\n")
BOUNCE = (b"From: Mail Delivery System <MAILER-DAEMON@mx.example.com>\r\nTo: anna@example.com\r\nSubject: Undelivered\r\nMessage-ID: <b1@mx>\r\n"
          b"MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nNo such user.\r\n"
          b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\nFinal-Recipient: rfc822; a@kunde.example\r\n"
          b"Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 unknown\r\n\r\nFinal-Recipient: rfc822; b@kunde.example\r\n"
          b"Action: failed\r\nStatus: 4.2.2\r\n\r\n--b--\r\n")
AWAY = (b"From: kari@kunde.example\r\nTo: anna@example.com\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n"
        b"Date: Mon, 2 Nov 2026 10:00:00 +0100\r\nMessage-ID: <a1@kunde.example>\r\n\r\nI am away until 20 December 2026.\r\n")


class TestRead:
    def read(self, *arguments, stdin=None):
        result = subprocess.run([os.path.join(BIN, "nurture"), "read", *arguments], input=stdin, capture_output=True, check=False, timeout=60,
                                env={**os.environ, "NURTURE_CONFIG": "/nonexistent"})
        return result.returncode, result.stdout.decode(), result.stderr.decode()

    def test_reply_bounce_and_absence(self, folder):
        files = [folder.write(name, data.decode()) for name, data in [("reply.eml", REPLY), ("bounce.eml", BOUNCE), ("away.eml", AWAY)]]
        status, out, _ = self.read("--json", *map(str, files))
        reply, bounce, away = [json.loads(line) for line in out.splitlines()]
        assert status == 0 and all({"file", "class", "from", "subject", "message_id", "references", "text"} <= set(line) for line in (reply, bounce, away))
        assert reply["class"] == "reply" and reply["text"].strip() == "Yes, please." and reply["references"] == ["m0@example.com", "m1@example.com"]
        assert bounce["class"] == "bounce" and bounce["bounce"]["recipient"] == "a@kunde.example"
        assert bounce["bounce"]["kind"] == "hard" and bounce["bounce"]["status"] == "5.1.1" and len(bounce["bounces"]) == 2
        assert away["class"] == "auto-reply" and away["auto_reply"]["until"].startswith("2026-12-")

    def test_standard_input_and_people(self):
        status, out, _ = self.read("-", stdin=REPLY.replace(b"Yes, please.", b"Yes \x1b[31m please."))
        assert status == 0 and "reply" in out and "kari@kunde.example" in out and "\033" not in out

    def test_anything_is_read_and_what_is_missing_is_told(self, folder):
        path = folder / "noise.eml"
        with open(path, "wb") as file:
            file.write(os.urandom(4096))
        status, out, err = self.read("--json", str(path), "/nonexistent.eml", "/", os.devnull)
        assert status == 1 and [json.loads(line)["file"] for line in out.splitlines()] == [str(path), os.devnull]
        assert "/nonexistent.eml: No such file" in err and "/: Is a directory" in err


@pytest.mark.parametrize("arguments", [
    ("import", "/nonexistent.csv"), ("import", "people.csv"), ("contact", "add", "x@kunde.example", "--stage", "pichting"),
    ("contact", "set", KARI, "--company", "X"), ("contact", "stage", KARI, "pitching"), ("contact", "tag", KARI, "x"),
    ("contact", "pause", KARI), ("contact", "forget", KARI, "--yes"), ("log", KARI, "note", "x"), ("queue", "cancel", "1"),
    ("contact", "show", KARI), ("history", KARI), ("preview", "after-pitch", KARI),
])
def test_what_fails_makes_no_store(one, arguments):
    path = csv(one, "email\nno-address\n")
    result = one.run(*[path if word == "people.csv" else word for word in arguments], check=False)
    assert result.returncode == 1 and result.stderr
    assert not [name for name in os.listdir(one.folder.path) if name.startswith("nurture.db")]


class TestDaemonCommands:
    @pytest.mark.parametrize("command", ["status", "reload", "pause", "resume"])
    def test_without_a_daemon(self, one, command):
        result = one.run(command, check=False)
        assert result.returncode == 1 and "no nurtured is running" in result.stderr and result.stdout == ""

    def test_with_a_daemon(self, kari):
        kari.start()
        shown = kari.run("status").stdout
        assert "anna" in shown and "contacts: 1" in shown
        kari.run("pause")
        assert kari.json("status")[0]["paused"] is True
        kari.run("resume")
        assert kari.json("status")[0]["paused"] is False
        kari.run("reload")


def test_results_that_cannot_be_written_are_a_failure(kari):
    with open("/dev/full", "wb") as full:
        result = subprocess.run([os.path.join(BIN, "nurture"), "-c", kari.config, "contact", "list"], stdout=full, stderr=subprocess.PIPE,
                                text=True, check=False)
    assert result.returncode == 1 and "could not be written" in result.stderr


def test_a_reader_who_has_seen_enough_hears_no_complaint(one):
    one.run("import", csv(one, "email,company\n" + "".join(f"n{i}@kunde.example,Fjord {'x' * 100}\n" for i in range(2000))))
    process = subprocess.Popen([os.path.join(BIN, "nurture"), "-c", one.config, "contact", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline().startswith(b"EMAIL")
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait(30) != 0


def test_the_manual_page_has_every_command_and_option():
    page = open(os.path.join(os.path.dirname(__file__), "..", "..", "man", "nurture.1"), encoding="utf-8").read()

    def shown(*words):
        return subprocess.run([os.path.join(BIN, "nurture"), *words, "--help"], capture_output=True, text=True, check=True).stdout

    def commands(*words):
        return re.findall(r"^  (\w+) ", shown(*words), re.MULTILINE)

    groups = {"contact": commands("contact"), "queue": commands("queue"), "task": commands("task"), "report": commands("report")}
    assert len(commands()) > 10 and len(groups["contact"]) > 8
    for command in commands():
        assert re.search(rf"\.It Ic ((queue|task) Op Ic list|{command})\b", page) or f".Ic {command}\n" in page, command
        for words in [(command, sub) for sub in groups[command]] if command in groups else [(command,)]:
            assert len(words) == 1 or f".It Ic {' '.join(words)} " in page or words[1] == "list", words
            for option in re.findall(r"--([a-z-]+)", shown(*words)):
                assert f"Fl -{option}" in page, (words, option)
