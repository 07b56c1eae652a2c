"""`nurture task`: what the owners are to do, written by hand or by a rule's step, with its lines on the history."""
import pytest
from world import Folder, wait_for
from world.nurture import Nurture, account
from world.sink import Sink

KARI, OLA = "kari@fjord.example", "ola@fjord.example"
RULES = """{ name = "after-pitch"; anchor = "stage"; when = { stage = "pitching"; };
             steps = ( { after = "1 minute"; kind = "task"; template = "call"; } ); }"""


@pytest.fixture(scope="module")
def sink():
    one = Sink()
    yield one
    one.close()


@pytest.fixture
def one(sink):
    folder = Folder("nurture-tasks-")
    folder.write("templates/call.md", "Subject: Call {{first_name}} about the pitch\n\nThey had a day to think.\n")
    smtp = f'{{ url = "smtp://127.0.0.1:{sink.port}"; tls = "none"; }}'
    nurture = Nurture(folder, accounts=account(smtp) + "," + account(smtp, name="per", address="per@example.com"), rules=RULES,
                      templates=folder / "templates")
    nurture.run("contact", "add", KARI, "--first-name", "Kari")
    nurture.run("contact", "add", OLA, "--owner", "per")
    yield nurture
    nurture.stop()
    folder.close()


def test_by_hand(one):
    assert "nothing is to be done" in one.run("task").stdout
    added = one.json("task", "add", KARI, "call", "about  the offer", "--due", "2026-12-01")[0]
    assert added["due_at"] == "2026-11-30T23:00:00Z" and added["text"] == "call about the offer" and added["owner"] == "anna"
    one.run("task", "add", OLA, "send prices", "--due", "2020-01-02 09:30")
    one.run("task", "add", OLA, "some day", "--due", "none", "--owner", "anna")
    assert [task["text"] for task in one.json("task", "list")] == ["send prices", "call about the offer", "some day"]
    assert [task["text"] for task in one.json("task", "list", "--owner", "PER")] == ["send prices"]
    assert [task["text"] for task in one.json("task", "list", "--contact", KARI)] == ["call about the offer"]
    assert [task["text"] for task in one.json("task", "list", "--due", "2026-12-01")] == ["send prices", "call about the offer"]
    assert [task["text"] for task in one.json("task", "list", "--due", "2026-11-30")] == ["send prices"]
    table = one.run("task").stdout.splitlines()
    assert "2020-01-02 Thu 09:30" in table[1] and table[1].endswith("overdue") and "overdue" not in table[3]

    number = str(added["id"])
    assert one.json("task", "done", number, "--note", "she says yes")[0]["done_at"]
    assert "was done already" in one.run("task", "done", number).stdout
    assert len(one.json("task")) == 2 and one.json("task", "list", "--all")[-1]["text"] == "call about the offer"
    lines = [(entry["detail"], entry["subject"], entry["text"]) for entry in one.history(KARI, "task")]
    assert lines == [("to do", "call about the offer", ""), ("done", "call about the offer", "she says yes")]
    one.run("task", "reopen", number)
    changed = one.json("task", "set", number, "--text", "write", "--owner", "per", "--due", "none")[0]
    assert (changed["text"], changed["owner"], changed["due_at"]) == ("write", "per", None)
    one.run("contact", "forget", KARI, "--yes")
    assert [task["contact"] for task in one.json("task", "list", "--all")] == [OLA, OLA]


@pytest.mark.parametrize("words,status,what", [
    (["add", KARI, "call"], 2, "--due"),
    (["add", KARI, "call", "--due", "someday"], 1, "tomorrow"),
    (["add", KARI, "call", "--due", "today", "--owner", "nobody"], 1, "nobody"),
    (["add", KARI, " ", "--due", "today"], 1, "empty"),
    (["add", KARI, "x" * 3000, "--due", "today"], 1, "longer"),
    (["add", "who@fjord.example", "call", "--due", "today"], 1, "no contact"),
    (["done", "x"], 1, "no ID"),
    (["done", "99"], 1, "no task 99"),
    (["set", "99"], 2, "--due"),
    (["list", "--due", "someday"], 1, "tomorrow"),
    (["lunch"], 2, "lunch"),
])
def test_what_cannot_be_taken_is_told(one, words, status, what):
    result = one.run("task", *words, check=False)
    assert result.returncode == status and what in result.stderr and result.stdout == ""
    assert one.json("task", "list", "--all") == []


def test_a_step_of_a_rule_makes_one(one):
    one.start("--clock", "2026-11-24T08:00:00Z", "--speed", "600")
    one.run("contact", "stage", KARI, "pitching")
    wait_for(lambda: one.json("task"), 20, what=lambda: "a task: " + one.log_text())
    task = one.json("task")[0]
    assert (task["text"], task["owner"], task["source"], task["rule"], task["step"]) == ("Call Kari about the pitch", "anna", "step", "after-pitch", "call")
    told = one.history(KARI, "task")
    assert len(told) == 1 and told[0]["at"] == task["due_at"]
