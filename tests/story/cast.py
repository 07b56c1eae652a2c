"""The people of the story, and what each of them is going to do: decided before it begins, so that it is known what is true at its end."""
import dataclasses
import unicodedata

FIRST = {"nb": "Kari Ola Nina Per Ingrid Lars Åse Bjørn Solveig Øystein Marit Geir Hege Trond Silje Terje Astrid Knut Ragnhild Sverre".split(),
         "en": "Emma James Olivia Harry Grace Thomas Chloe Daniel Sophie George Alice Samuel Lucy Henry Megan Oscar Ruby Arthur Molly Edward".split()}
LAST = {"nb": "Hansen Johansen Olsen Larsen Andersen Nilsen Berge Dahl Haugen Strand Moen Lunde Solberg Bakke Hagen Eide Fjeld Vik Aas Lie".split(),
        "en": "Smith Jones Taylor Brown Davies Evans Wilson Walker Wright Hughes Green Hall Wood Clarke Jackson Turner Hill Cooper Ward Morris".split()}

# how a score is said: exactly that number
SCORES = {
    "en": {10: ["10", "10/10!", "Definitely a ten from me.", "Ten out of ten, no question."],
           9: ["9", "I'd say 9 out of 10", "A nine. Keep it up!", "Hi Anna,\n\nI would give you 9/10.\n\nBest"],
           8: ["8", "8 out of 10", "Solid eight."], 7: ["7", "7/10, fine so far.", "I'd say 7."],
           6: ["6", "6/10. Delivery took too long."], 4: ["4", "Four, sorry. Nobody answers your phone."], 2: ["2/10. I am not happy."],
           0: ["0", "Zero."]},
    "nb": {10: ["10", "10/10!", "En klar tier!", "Ti av ti :)"], 9: ["9", "ni av ti", "Hei Anna!\n\nJeg sier 9.\n\nHilsen", "Ni"],
           8: ["8", "åtte av ti", "Vi sier 8."], 7: ["7", "sju", "7/10"], 6: ["6", "Seks."],
           4: ["4", "fire av ti, dessverre. Leveringen var sen."], 2: ["2 av 10. Skuffet."], 0: ["0", "null"]},
}
UNCLEAR = {"en": ["8-9", "Somewhere between 7 and 8, I guess.", "Between six and nine, depends who you ask."], "nb": ["8-9", "mellom 7 og 8", "En sjuer eller åtter."]}

NAMES = {  # how one friend is named who has an address
    "en": ["Talk to {name}, {address}. She will remember me.", "Hi!\n\nYou should write to {name} <{address}>, an old colleague.\n\nAll the best",
           "Try {name} at {address}"],
    "nb": ["Snakk med {name}, {address}. Hils fra meg!", "Hei Anna,\n\ndu bør skrive til {name} <{address}>, en gammel kollega.\n\nMvh",
           "Prøv {name} på {address}"]}
PAIRS = {"en": ["Two come to mind: {name} ({address}) and {name2} ({address2})."], "nb": ["Jeg kommer på to: {name} ({address}) og {name2} ({address2})."]}
PHONES = {"en": ["Call {name}, {phone}. No mail, please, he never reads it."], "nb": ["Ring {name}, {phone}. Han leser aldri e-post."]}
COPIES = {"en": ["Hi Anna, meet {name}, in copy. {first}, Anna helped us a lot."], "nb": ["Hei Anna, møt {name}, på kopi her. {first}, Anna har hjulpet oss mye."]}
CARDS = {"en": ["I attach the card of {name}, who could use your help."], "nb": ["Jeg legger ved kontaktkortet til {name}, som trenger hjelp."]}
REFUSALS = {"en": ["Sorry, nobody comes to mind.", "I'd rather not give out names."], "nb": ["Beklager, kommer ikke på noen.", "Jeg vil helst ikke gi bort navn."]}
WRITES = {"en": ["Hi Anna,\n\n{referrer} told me about you. Could you help us, too?\n\n{name}"],
          "nb": ["Hei Anna,\n\n{referrer} fortalte om dere. Kan dere hjelpe oss også?\n\n{name}"]}
ABSENCES = {"en": ("Automatic reply: ", "I am out of the office until {day:%d %B %Y}."), "nb": ("Automatisk svar: ", "Jeg er ikke på kontoret, og er tilbake {day:%d.%m.%Y}.")}


@dataclasses.dataclass
class Friend:
    """Somebody whom a customer introduces. fate: what the owner and they make of it, once they are proposed."""
    name: str
    address: str
    language: str
    phone: str = ""
    fate: str = "accept"  # accept, decline, ignore
    later: str = ""       # of who is accepted: "customer", "stop" (asks to be left alone), "" nothing
    referral: int = 0     # the number of the row


@dataclasses.dataclass
class Customer:
    name: str
    address: str
    language: str
    joins: int                 # the day on which they become a customer
    score: object = None       # 0..10, "unclear", "bounce" (their address takes nothing) or None: they never say
    answer: str = ""           # to the request: name, pair, phone, copy, card, forward, refuse, self, known; "" silence
    absent: bool = False       # an absence answers the first mail, they themselves later
    friends: list = dataclasses.field(default_factory=list)
    # what came of it
    asked_score: int = 0
    asked: int = 0             # requests that came, with reminders
    answered: bool = False
    scored_at: float = 0       # days
    released_at: float = 0
    mails: list = dataclasses.field(default_factory=list)  # (day, step)


def plain(text):
    text = text.replace("ø", "o").replace("Ø", "O").replace("æ", "ae")
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


def pick(rng, weights):
    return rng.choices(list(weights), list(weights.values()))[0]


class Cast:
    def __init__(self, rng, customers, last_join):
        self.rng, self.taken, self.customers = rng, set(), []
        for _ in range(customers):
            self.customers.append(self.customer(rng.randrange(last_join)))
        for customer in self.customers:
            self.decide(customer)
        self.friends = {friend.address: (customer, friend) for customer in self.customers for friend in customer.friends if friend.address}

    def person(self, language, domain):
        while True:
            name = f"{self.rng.choice(FIRST[language])} {self.rng.choice(LAST[language])}"
            address = plain(name).replace(" ", ".") + str(self.rng.randrange(10, 100)) + "@" + domain
            if address not in self.taken:
                self.taken.add(address)
                return name, address

    def customer(self, joins):
        language = self.rng.choice(["nb", "en"])
        gone = self.rng.random() < 0.04
        name, address = self.person(language, "borte.example" if gone else "kunde.example")
        score = "bounce" if gone else pick(self.rng, {"high": 50, "middle": 14, "low": 12, "unclear": 8, "none": 16})
        score = {"high": self.rng.choice([9, 10]), "middle": self.rng.choice([7, 8]), "low": self.rng.choice([0, 2, 4, 6]), "none": None}.get(score, score)
        return Customer(name, address, language, joins, score, absent=self.rng.random() < 0.08)

    def decide(self, customer):
        if customer.score not in (9, 10):
            return
        customer.answer = pick(self.rng, {"name": 28, "pair": 8, "phone": 6, "copy": 10, "card": 6, "forward": 10, "refuse": 10, "self": 3, "known": 4, "": 15})
        count = {"pair": 2}.get(customer.answer, 1 if customer.answer in ("name", "phone", "copy", "card", "forward") else 0)
        for _ in range(count):
            language = self.rng.choice(["nb", "en"])
            name, address = self.person(language, "venn.example")
            friend = Friend(name, address, language, fate=pick(self.rng, {"accept": 75, "decline": 15, "ignore": 10}),
                            later=pick(self.rng, {"customer": 45, "stop": 15, "": 40}))
            if customer.answer == "phone":
                friend.phone, friend.address = f"+47 9{self.rng.randrange(1000000, 9999999)}", ""
                friend.fate, friend.later = "ignore", ""
            if customer.answer == "forward":
                friend.fate = "accept"  # at once, as the rule says: they write themselves
            customer.friends.append(friend)
