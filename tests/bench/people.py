"""Contacts and rules for the bench: the same ones for the same number, whatever machine and day."""
import csv
import datetime
import random

STAGES = ["research", "prospecting", "connecting", "qualifying", "pitching", "objections", "negotiating", "follow-up"]
COLUMNS = ["email", "first_name", "last_name", "company", "stage", "stage_since", "customer_since", "time_zone", "language",
           "owner", "tags", "industry", "seats"]
ACCOUNTS = ["anna", "bjorn", "carla", "dag"]
# a Monday night in Oslo: outside of every window, so that nothing is sent while people are enrolled
TODAY = datetime.date(2026, 6, 15)
CLOCK = "2026-06-15T21:00:00Z"

FIRST = ["Anna", "Bjørn", "Carla", "Dag", "Eva", "Finn", "Grete", "Hans", "Ida", "Jan", "Kari", "Lars", "Mona", "Nils", "Olga", "Per"]
LAST = ["Berg", "Hansen", "Lie", "Nilsen", "Olsen", "Strand", "Dahl", "Moen", "Vik", "Haugen", "Solberg", "Lund", "Müller", "Smith"]
ZONES = ["Europe/Oslo", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "Asia/Tokyo", "Australia/Sydney"]
TAGS = ["happy", "webinar", "fair", "newsletter", "partner", "vip"]
TRADE = 'attributes = { industry = [ "retail", "energy", "media" ]; };'
OTHER = 'attributes = { industry = [ "health", "finance", "public" ]; };'
INDUSTRIES = ["retail", "energy", "health", "finance", "public", "media"]


def _tags(rng):
    """Most people have none, as in most companies' lists."""
    return ",".join(sorted(rng.sample(TAGS, rng.choice((0, 0, 0, 1, 1, 2)))))


def _person(number, companies, rng):
    company = rng.randrange(companies)
    stage = STAGES[number % len(STAGES)]
    first, last = rng.choice(FIRST), rng.choice(LAST)
    # so recent that no first step is due yet
    since = TODAY - datetime.timedelta(days=rng.randrange(1, 20))
    customer = TODAY - datetime.timedelta(days=rng.randrange(1, 20)) if stage == "follow-up" else ""
    return (f"{first.lower()}.{last.lower()}{number}@firm{company}.example".replace("ø", "o").replace("ü", "u"), first, last,
            f"Firm {company} AS", stage, since, customer, rng.choice(ZONES) if number % 3 == 0 else "",
            rng.choice(("nb", "en", "")), rng.choice(ACCOUNTS), _tags(rng), rng.choice(INDUSTRIES), rng.randrange(1, 500))


def write_contacts(path, count):
    """A CSV of so many contacts, evenly over the stages, five to a company, in the random order of a real list."""
    rng = random.Random(count)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_person(number, max(1, count // 5), rng) for number in range(count))


def _rule(name, anchor, when, steps, extra=""):
    timing = "after" if anchor == "stage" else "age"
    lines = ", ".join(f'{{ {timing} = "{delay}"; template = "{template}"; }}' for delay, template in steps)
    return f'  {{ name = "{name}"; anchor = "{anchor}"; when = {{ {when} }}; steps = ( {lines} ); {extra} }}'


def rules():
    """Twenty rules: two a stage by industry, and four for customers. First steps come three weeks from now at the earliest."""
    text = []
    for index, stage in enumerate(STAGES):
        steps = [(f"{30 + index} days", "pitch-1"), ("8 days", "pitch-2"), ("3 weeks", "pitch-3")]
        text.append(_rule(f"{stage}-trade", "stage", f'stage = "{stage}"; ' + TRADE, steps))
        text.append(_rule(f"{stage}-other", "stage", f'stage = "{stage}"; ' + OTHER, steps[:2]))
    text.append(_rule("aftercare", "customer", "customer = true;", [("45 days", "welcome"), ("90 days", "check-in")]))
    text.append(_rule("ask-referral", "customer", 'customer = true; tag = "happy";', [("60 days", "referral")],
                      'repeat_every = "6 months";'))
    text.append(_rule("large", "customer", "customer = true; attributes = { seats = { min = 250; }; };", [("50 days", "check-in")]))
    text.append(_rule("nordic", "customer", 'customer = true; language = "nb";', [("1 year", "check-in-2")]))
    return ",\n".join(text)


CONFIG = """
store     = {{ url = "sqlite://{store}"; }};
templates = "{templates}";
organisation = {{ name = "Berg & Sons"; postal_address = "Storgata 1, 0155 Oslo, Norway"; domains = [ "example.com" ]; }};
sending = {{ time_zone = "Europe/Oslo"; window = {{ days = "mon-fri"; from = "09:00"; to = "16:30"; }}; min_gap = "2 days";
  max_late = "7 days"; }};
accounts = ( {accounts} );
rules = (
{rules}
);
"""


def write_config(path, store, templates, port):
    """A configuration whose accounts all send to a loopback port that nobody listens on."""
    accounts = ",\n".join(
        f'{{ name = "{name}"; from = "{name}@example.com"; one_way = true; smtp = {{ url = "smtp://127.0.0.1:{port}"; '
        f'tls = "none"; }}; }}' for name in ACCOUNTS)
    with open(path, "w", encoding="utf-8") as file:
        file.write(CONFIG.format(store=store, templates=templates, accounts=accounts, rules=rules()))
