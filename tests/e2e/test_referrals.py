"""Referrals by plain mail, through real servers: a number, a name, a new customer, and thanks; the ledger equals what happened.

The clock runs a day in some seconds. One customer rates, is asked, hands the request on and introduces others; what is checked are the mails
that people get and what `nurture referral list` says of them."""
import re

import pytest
from conftest import PASSWORD, parse, reply_to, wait_for
from world import Folder
from world.nurture import Nurture, account, server

ANNA, KARI, OLA = "anna-ref@example.com", "kari-ref@kunde.example", "ola-ref@kunde.example"
PER, PIA = "per-ref@andre.example", "pia-ref@andre.example"
START, SPEED = "2027-03-01T08:00:00Z", 14400  # four hours a second

RULES = """
  { name = "satisfaction"; anchor = "customer"; when = { customer = true; };
    steps = ( { age = "1 day"; kind = "score"; template = "score"; } ); },
  { name = "ask"; purpose = "referral"; anchor = "score"; when = { score = { min = 9; }; };
    steps = ( { after = "2 hours"; template = "ask"; } ); accept = "auto"; reward = "a box of chocolates"; cooldown = "6 months"; },
  { name = "introduction"; anchor = "referral"; when = { referred = true; };
    steps = ( { after = "1 hour"; template = "referral-intro"; } ); },
  { name = "thanks"; anchor = "thanks"; when = {}; stop_on = [];
    steps = ( { after = "1 hour"; template = "referral-thanks"; } ); },
  { name = "reward"; anchor = "reward"; when = {}; stop_on = [];
    steps = ( { after = "1 hour"; template = "referral-reward"; } ); }
"""
ASK = """Subject: Do you know somebody?

Dear {{first_name}}, a name is enough. Or let them write to {{referral_address}} ({{referral_code}}).
"""


@pytest.fixture(scope="module")
def made(world):
    if not world.postfix:
        pytest.skip(world.no_postfix)
    folder = Folder("nurture-test-")
    for name in ("score", "referral-intro", "referral-thanks", "referral-reward", "_signature"):
        for ending in (".md", ".nb.md"):
            with open(f"templates/{name}{ending}", encoding="utf-8") as file:
                folder.write(f"templates/{name}{ending}", file.read())
    folder.write("templates/ask.md", ASK)
    out = server("smtp", world.postfix.smtp, world.authority.file, ANNA, PASSWORD, extra="connections = 2;")
    way_in = server("imaps", world.dovecot.imaps, world.authority.file, ANNA, PASSWORD)
    one = Nurture(folder, account(out, way_in, address=f"Anna Berg <{ANNA}>"), rules=RULES, templates=folder / "templates")
    one.world = world
    yield one
    status, text = one.stop(), one.log_text()
    folder.close()
    assert status == 0 and "AddressSanitizer" not in text and "runtime error" not in text, text


def mails(one, who, subject):
    return [mail for mail in (parse(content) for _, content in one.world.dovecot.messages(who)) if subject in mail["Subject"]]


def get(one, who, subject, count=1):
    found = wait_for(lambda: len(mails(one, who, subject)) >= count and mails(one, who, subject), 60,
                     what=lambda: f"{who} gets {subject}: {one.log_text()[-3000:]}")
    assert len(found) == count
    return found[-1]


def answer(one, mail, who, text, **headers):
    one.world.dovecot.deliver(ANNA, reply_to(mail, who, ANNA, text, **headers), who)


def ledger(one):
    return {row["email"] or row["name"]: row for row in one.json("referral", "list")}


def wait_state(one, whom, state):
    return wait_for(lambda: ledger(one).get(whom, {}).get("state") == state and ledger(one)[whom], 60,
                    what=lambda: f"{whom} is {state}: {ledger(one)} {one.log_text()[-3000:]}")


def test_from_a_number_to_a_new_customer(made):
    one = made
    one.start("--clock", START, "--speed", str(SPEED))
    one.wait_watching()
    for email, name, language in ((KARI, "Kari", "en"), (OLA, "Ola", "nb")):
        one.run("contact", "add", email, "--first-name", name, "--last-name", "Nordmann", "--stage", "follow-up", "--language", language)

    # a low score: the owner's task, and silence until released
    answer(one, get(one, OLA, "Ett spørsmål"), OLA, "En toer, dessverre.")
    task = wait_for(lambda: one.json("task", "list"), 30)
    assert task[0]["contact"] == OLA and task[0]["source"] == "score"
    assert one.json("contact", "show", OLA)[0].get("paused_until") or "paused" in one.run("contact", "show", OLA).stdout

    # a high one: asked for a name, which a friend answers to whom the request was handed on
    answer(one, get(one, KARI, "One question"), KARI, "I'd say 9 out of 10")
    asked = get(one, KARI, "Do you know somebody")
    code = asked.get_body(("plain",)).get_content()
    assert "+r-" in code
    answer(one, asked, PER, "Kari sent me this. Tell me more, please!")
    per = wait_state(one, PER, "accepted" if not mails(one, PER, "suggested") else "contacted")
    assert per["how"] == "forward" and per["rule"] == "ask" and per["wrote_at"]
    intro = get(one, PER, "Kari Nordmann suggested that we talk")
    assert "Kari Nordmann is a customer of ours" in intro.get_body(("plain",)).get_content()
    wait_state(one, PER, "contacted")
    thanks = get(one, KARI, "Thank you for the introduction")
    assert "a box of chocolates" in thanks.get_body(("plain",)).get_content()

    # another friend writes to the personal code, of her own accord
    token = re.search(r"r-\d+-[a-z2-7]{20}", code).group()
    mail = reply_to(asked, PIA, ANNA, f"Hello, Kari gave me the code {token}")
    mail = re.sub(rb"(?m)^(In-Reply-To|References): .*\r?\n(\s.*\r?\n)*", b"", mail)
    one.world.dovecot.deliver(ANNA, mail, PIA)
    pia = wait_state(one, PIA, "contacted")
    assert pia["how"] == "code"
    get(one, KARI, "Thank you for the introduction", 2)

    # one becomes a customer, the other will never be mailed again
    one.run("contact", "stage", PER, "follow-up")
    one.run("suppression", "add", PIA)
    wait_state(one, PER, "customer")
    wait_state(one, PIA, "lost")
    reward = get(one, KARI, "Good news").get_body(("plain",)).get_content()
    assert "Per" in reward or PER in reward
    assert "a box of chocolates" in reward

    # by word of mouth: the owner's yes, and who is known
    assert one.json("referral", "add", KARI, "Nils", "--friend", "nils-ref@andre.example")[0]["result"] == "proposed"
    assert one.json("referral", "add", KARI, "Ola", "--friend", OLA, check=False)[0]["result"] == "was a contact already"
    number = str(ledger(one)["nils-ref@andre.example"]["id"])
    assert one.run("referral", "decline", number).returncode == 0
    assert one.run("referral", "accept", number, "--stage", "pitching").returncode == 0
    assert one.json("contact", "show", "nils-ref@andre.example")[0]["stage"] == "pitching"
    assert one.run("referral", "accept", number, check=False).returncode == 1

    why = {rule["rule"]: rule for rule in one.json("why", KARI)}
    assert why["ask"]["rule"] == "ask"
    tree = one.run("referral", "tree").stdout
    assert tree.index("Kari") < tree.index(PER)
    assert {row["state"] for row in one.json("referral", "list", "--state", "lost")} == {"lost"}


CARD = """BEGIN:VCARD
VERSION:3.0
FN:Vera Kort
EMAIL:vera-ref@andre.example
TEL:+47 99 88 77 66
END:VCARD
"""


def with_card(mail):
    answer = parse(mail)
    answer.add_attachment(CARD.encode(), maintype="text", subtype="vcard", filename="vera.vcf")
    return answer.as_bytes()


def test_whom_answers_name(made):
    """In prose, in copy, on a card, a refusal, too many, one of us, and with bytes that are no part of a name."""
    one = made
    answers = {
        "prosa-ref@kunde.example": ("Snakk med Nils Prosa, nils-prosa@andre.example, han leter etter noe slikt.", {}),
        "kopi-ref@kunde.example": ("Meet Kaja Kopi, copied here. She runs the firm next door.", {"Cc": "Kaja Kopi <kaja-kopi@andre.example>"}),
        "kort-ref@kunde.example": ("Her er kortet til Vera, ta kontakt med henne!", {}),
        "nei-ref@kunde.example": ("Sorry, I don't know anybody.", {}),
        "mange-ref@kunde.example": ("Here you are:\n" + "\n".join(f"venn{n}@andre.example" for n in range(500)), {}),
        "oss-ref@kunde.example": ("You should ask Bo Berg, bo@example.com", {}),
    }
    for who in answers:
        one.run("contact", "add", who, "--first-name", "Kunde", "--stage", "follow-up")
        one.run("contact", "score", who, "10")
    for who, (text, headers) in answers.items():
        mail = reply_to(get(one, who, "Do you know somebody"), who, ANNA, text, **headers)
        one.world.dovecot.deliver(ANNA, with_card(mail) if who.startswith("kort") else mail, who)
    for who in answers:
        wait_for(lambda: one.history(who, "reply"), 30)

    def named(who):
        return {row["email"]: (row["state"], row["how"], row.get("reason", "")) for row in one.json("referral", "list", "--referrer", who)}
    assert named("prosa-ref@kunde.example") == {"nils-prosa@andre.example": ("proposed", "text", "")}
    assert named("kopi-ref@kunde.example") == {"kaja-kopi@andre.example": ("proposed", "cc", "")}
    assert named("kort-ref@kunde.example") == {"vera-ref@andre.example": ("proposed", "vcard", "")}
    assert named("nei-ref@kunde.example") == {}
    assert one.history("nei-ref@kunde.example", "reply")[0]["detail"] == "introduces nobody: declined"
    assert len(named("mange-ref@kunde.example")) == 20
    assert named("oss-ref@kunde.example") == {"bo@example.com": ("declined", "text", "one of our own people")}
    assert not [mail for who in ("nils-prosa@andre.example", "kaja-kopi@andre.example", "vera-ref@andre.example") for mail in mails(one, who, "")]
    number = str(ledger(one)["vera-ref@andre.example"]["id"])
    one.run("referral", "accept", number)
    get(one, "vera-ref@andre.example", "suggested that we talk")
