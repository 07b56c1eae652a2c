"""`nurture suppression`: whom nothing is sent to, by hand and by lists, and what stays of it when somebody is erased."""
import os
import sqlite3

import pytest
from world import Folder
from world.nurture import Nurture, account

KARI = "kari@kunde.example"
LIST = """address,reason,at,detail
kari@kunde.example,unsubscribe,2026-01-02T03:04:05Z,"said: ""no, thanks"" twice"
@Stengt.example,manual,,
ola@kunde.example,Bounce,2026-02-03,
"""


@pytest.fixture
def one():
    folder = Folder("nurture-suppression-")
    nurture = Nurture(folder, accounts=account('{ url = "smtp://127.0.0.1:9"; tls = "none"; }'))
    yield nurture
    nurture.stop()
    folder.close()


def write(one, text, name="list.csv"):
    path = one.folder / name
    with open(path, "w") as file:
        file.write(text)
    return str(path)


def listed(one):
    return {row["address"]: row for row in one.json("suppression", "list")}


def counts(one, path, check=True):
    return one.json("suppression", "import", path, check=check)[0]


def refused(one, *arguments, status=1):
    result = one.run("suppression", *arguments, check=False)
    assert result.returncode == status, result.stderr
    return result.stderr


class TestByHand:
    def test_added_once_listed_and_removed(self, one):
        one.run("contact", "add", KARI)
        assert one.json("suppression", "add", KARI.upper(), "--detail", "asked  by\nphone") == [{"address": KARI, "result": "added"}]
        assert one.json("suppression", "add", KARI) == [{"address": KARI, "result": "unchanged"}]
        row = listed(one)[KARI]
        assert row.pop("at").startswith("20")
        assert row == {"address": KARI, "reason": "manual", "detail": "asked by phone", "erased": False}
        table = one.run("suppression").stdout.splitlines()
        assert table[0].split() == ["ADDRESS", "REASON", "SINCE", "DETAIL"]
        assert table[1].split()[:2] == [KARI, "manual"] and table[1].endswith("asked by phone")
        assert one.json("contact", "show", KARI)[0]["suppressed"] == "manual"
        one.run("suppression", "remove", KARI)
        assert "suppressed" not in one.json("contact", "show", KARI)[0]
        assert one.run("suppression", "list").stdout == "nobody is suppressed\n"

    def test_a_domain_is_everybody_of_it(self, one):
        one.run("contact", "add", KARI)
        assert one.run("suppression", "add", "@KUNDE.example", "@blåbær.example").stdout == "@kunde.example: added\n@xn--blbr-roah.example: added\n"
        assert one.json("contact", "show", KARI)[0]["suppressed"] == "manual"
        assert "nurture suppression remove @kunde.example" in refused(one, "remove", KARI)
        one.run("suppression", "add", KARI)
        assert "still never mailed" in one.run("suppression", "remove", KARI).stderr

    def test_a_reason_in_words_of_ones_own(self, one):
        one.run("suppression", "add", KARI, "--reason", "asked by phone")
        assert (listed(one)[KARI]["reason"], listed(one)[KARI]["detail"]) == ("manual", "asked by phone")
        assert 'did you mean "unsubscribe"?' in refused(one, "add", "x@kunde.example", "--reason", "unsubscribed")
        assert "write one of: unsubscribe, bounce, complaint, manual" in refused(
            one, "add", "x@kunde.example", "--reason", "by phone", "--detail", "on Monday")
        assert list(listed(one)) == [KARI]

    @pytest.mark.parametrize("reason, says", [("unsubscribe", "has asked for no more mail"), ("complaint", "has complained")])
    def test_what_they_wished_is_not_taken_back_by_accident(self, one, reason, says):
        one.run("suppression", "add", KARI, "--reason", reason)
        fault = refused(one, "remove", KARI)
        assert says in fault and "--force" in fault and "consent" in fault and KARI in listed(one)
        one.run("suppression", "remove", KARI, "--force")
        assert not listed(one)

    def test_a_wish_outranks_what_was_there(self, one):
        one.run("suppression", "add", KARI, "--reason", "bounce")
        assert one.json("suppression", "add", KARI, "--reason", "unsubscribe")[0]["result"] == "changed"
        assert one.json("suppression", "add", KARI, "--reason", "complaint")[0]["result"] == "unchanged"
        assert one.json("suppression", "add", KARI, "--reason", "bounce")[0]["result"] == "unchanged"
        assert listed(one)[KARI]["reason"] == "unsubscribe"

    @pytest.mark.parametrize("arguments, status, says", [
        (("add",), 2, "ADDRESS|@DOMAIN… is missing"),
        (("add", "kunde.example"), 1, "write somebody@kunde.example, or @kunde.example for everybody"),
        (("add", "@"), 1, "write for example @example.com"),
        (("add", "@a b"), 1, "write for example @example.com"),
        (("add", "kari"), 1, "kari"),
        (("add", "kari@kunde.example", "--detail", "x" * 5000), 1, "--detail: the text is longer"),
        (("add", "kari@kunde.example", "--detail", "\x1b[31m"), 1, "control characters"),
        (("remov", KARI), 2, 'did you mean "remove"?'),
        (("remove", KARI, "--forse"), 2, "did you mean --force?"),
        (("import", "/nonexistent.csv"), 1, "No such file"),
    ])
    def test_bad_input(self, one, arguments, status, says):
        fault = refused(one, *arguments, status=status)
        assert says in fault and "\x1b" not in fault
        assert not os.path.exists(one.folder / "nurture.db")

    def test_one_bad_word_does_not_keep_the_others(self, one):
        assert "kari" in refused(one, "add", "kari", "ola@kunde.example")
        assert list(listed(one)) == ["ola@kunde.example"]
        assert "did you mean ola@kunde.example?" in refused(one, "remove", "olla@kunde.example")
        assert "nurture suppression list shows who is" in refused(one, "remove", "zacharias@x.example")


class TestFiles:
    def test_import_twice_and_back_again(self, one):
        path = write(one, LIST)
        assert counts(one, path) == {"added": 3, "changed": 0, "unchanged": 0, "bad": 0}
        assert counts(one, path) == {"added": 0, "changed": 0, "unchanged": 3, "bad": 0}
        row = listed(one)[KARI]
        assert row["at"] == "2026-01-02T03:04:05Z" and row["detail"] == 'said: "no, thanks" twice'
        assert listed(one)["ola@kunde.example"]["reason"] == "bounce" and "@stengt.example" in listed(one)
        before = one.json("suppression", "list")
        exported = one.run("suppression", "export").stdout
        os.remove(one.folder / "nurture.db")
        assert one.run("suppression", "import", write(one, exported)).stdout == "3 added, 0 changed, 0 unchanged, 0 bad\n"
        assert one.json("suppression", "list") == before and one.run("suppression", "export").stdout == exported

    def test_an_address_a_line(self, one):
        assert counts(one, write(one, "kari@kunde.example\n\n@stengt.example\n KARI@kunde.example \n")) == {
            "added": 2, "changed": 0, "unchanged": 1, "bad": 0}
        assert {row["reason"] for row in listed(one).values()} == {"manual"}

    def test_bad_rows_are_listed_by_line_and_the_others_stored(self, one):
        path = write(one, "Email;Reason;Colour\nola;bounce;\na@b.example;unsubscribd;\nb@b.example;bounce;blue\nc@b.example\n;manual;\n")
        result = one.run("suppression", "import", path, check=False)
        lines = result.stderr.splitlines()
        assert result.returncode == 1 and result.stdout == "1 added, 0 changed, 0 unchanged, 4 bad\n"
        assert '"Colour" is passed over' in lines[0]
        for line, (number, says) in zip(lines[1:], [(2, 'column "address"'), (3, 'did you mean "unsubscribe"?'), (5, "1 values"),
                                                    (6, 'column "address"')]):
            assert line.startswith(f"{path}:{number}: ") and says in line, line
        assert list(listed(one)) == ["b@b.example"]

    @pytest.mark.parametrize("text, says", [
        ("", "is empty; write an address a line"),
        ("a@b.example,bounce\n", ":1: the row has 2 values, and no first line says what they are; write as the first line: address,reason"),
        ("address,reason,Reason\n", 'two columns mean "reason"'),
        ("address,at\na@b.example,2199-01-01\n", "is no time that has come"),
        ("address,at\na@b.example,yesterday\n", 'column "at"'),
        ("kari\n", 'column "address"'),
    ])
    def test_files_that_cannot_be_taken(self, one, text, says):
        assert says in refused(one, "import", write(one, text))
        assert not os.path.exists(one.folder / "nurture.db")

    def test_export_is_no_formula_to_a_spreadsheet(self, one):
        one.run("suppression", "add", KARI, "--detail", '=HYPERLINK("http://x.example")')
        assert ',"\x20=HYPERLINK(""http://x.example"")"' in one.run("suppression", "export").stdout


class TestErased:
    @pytest.fixture
    def gone(self, one):
        one.run("contact", "add", KARI)
        one.run("suppression", "add", KARI, "--reason", "unsubscribe", "--detail", "kari said so")
        one.run("contact", "forget", KARI, "--yes")
        return one

    def test_nothing_of_them_is_shown_or_stored(self, gone):
        rows = gone.json("suppression", "list")
        assert [(row["address"], row["erased"], row["reason"], row["detail"]) for row in rows] == [(None, True, "unsubscribe", "")]
        assert "(erased)" in gone.run("suppression").stdout
        exported = gone.run("suppression", "export")
        assert exported.stdout == "address,reason,at,detail\n" and "1 of people who were erased" in exported.stderr
        with sqlite3.connect(gone.folder / "nurture.db") as connection:
            assert "kari" not in "\n".join(connection.iterdump())

    def test_an_import_does_not_bring_them_back_unnoticed(self, gone):
        result = gone.run("import", write(gone, f"email\nola@kunde.example\n{KARI}\n", "people.csv"))
        assert result.stdout.startswith("2 added") and f"{KARI} was erased before, and is still never mailed" in result.stderr
        assert "ola@" not in result.stderr
        assert gone.json("contact", "show", KARI)[0]["suppressed"] == "unsubscribe"
        assert "suppressed" not in gone.json("contact", "show", "ola@kunde.example")[0]
        assert listed(gone)[KARI]["reason"] == "unsubscribe"

    def test_a_dry_run_tells_and_leaves_them_erased(self, gone):
        result = gone.run("import", write(gone, f"email\n{KARI}\n", "people.csv"), "--dry-run")
        assert "was erased before" in result.stderr and list(listed(gone)) == [None]

    def test_adding_them_tells(self, gone):
        assert "was erased before" in gone.run("contact", "add", KARI).stderr

    def test_lists_and_commands_know_them_by_the_address(self, gone):
        assert counts(gone, write(gone, LIST))["unchanged"] == 1
        assert gone.json("suppression", "add", KARI)[0]["result"] == "unchanged"
        assert KARI not in listed(gone)
        assert "--force" in refused(gone, "remove", KARI)
        gone.run("suppression", "remove", KARI, "--force")
        assert "was erased" not in gone.run("contact", "add", KARI).stderr

    def test_erasing_can_suppress(self, one):
        for address, options in ((KARI, ("--suppress",)), ("ola@kunde.example", ())):
            one.run("contact", "add", address)
            one.run("contact", "alias", address, "add", "2" + address)
            one.run("contact", "forget", address, "--yes", *options)
        assert [row["erased"] for row in one.json("suppression", "list")] == [True, True]
        one.run("import", write(one, f"email\n2{KARI}\nola@kunde.example\n", "people.csv"))
        assert one.json("contact", "show", "2" + KARI)[0]["suppressed"] == "manual"
        assert "suppressed" not in one.json("contact", "show", "ola@kunde.example")[0]
