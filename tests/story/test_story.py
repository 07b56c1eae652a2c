"""A year and a half of a small business, played on real Postfix and Dovecot: what the ledger, the histories and the reports say of it is
what the players know to be true. The seed of the cast is printed; NURTURE_STORY_SEED=N plays it again.

NURTURE_STORY_CUSTOMERS people over NURTURE_STORY_DAYS, a day in NURTURE_STORY_DAY_S seconds. No conftest here: that of tests/e2e is of this
name, and the two are run together."""
import collections
import os
import random
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from cast import Cast  # noqa: E402
from play import Play, World  # noqa: E402
from world.postfix import Postfix  # noqa: E402

CUSTOMERS = int(os.environ.get("NURTURE_STORY_CUSTOMERS", "30"))
DAYS = float(os.environ.get("NURTURE_STORY_DAYS", "170"))
DAY_S = float(os.environ.get("NURTURE_STORY_DAY_S", "0.3"))
SEED = int(os.environ.get("NURTURE_STORY_SEED", "7"))
TAKES = 150  # days from becoming a customer to the end of what comes of it


@pytest.fixture(scope="module")
def story():
    if Postfix.missing():
        pytest.skip(Postfix.missing())
    rng = random.Random(SEED)
    people, world = Cast(rng, CUSTOMERS, max(1, int(DAYS - TAKES))), World(DAY_S)
    try:
        play = Play(world, people, rng, DAYS)
        play.tell()
        play.ledger = world.nurture.json("referral", "list")
        yield play
        assert world.nurture.stop() == 0, world.nurture.log_text()[-2000:]
    finally:
        world.close()


def expected_state(customer, friend):
    if friend.fate != "accept":
        return {"decline": "declined", "ignore": "proposed"}[friend.fate]
    return {"customer": "customer", "stop": "lost", "": "contacted"}[friend.later]


def told(play):
    return [customer for customer in play.cast.customers if customer.answered]


class TestLedger:
    def test_whom_they_introduced_and_what_became_of_each(self, story):
        want = collections.Counter((customer.address, friend.address or friend.phone.replace(" ", ""), expected_state(customer, friend))
                                   for customer in told(story) for friend in customer.friends)
        got = collections.Counter((row["referrer"], row["email"] or row["phone"].replace(" ", ""), row["state"])
                                  for row in story.ledger if row["email"] not in story.by_address)
        assert got == want, f"seed {SEED}: too many {got - want}, missing {want - got}"

    def test_who_is_known_already_is_declined_with_that_reason(self, story):
        rows = [row for row in story.ledger if row["email"] in story.by_address]
        assert all(row["state"] == "declined" and row["reason"] for row in rows), rows

    def test_friends_are_mailed_only_with_a_yes(self, story):
        """The owner's, or their own."""
        for address, steps in story.mailed.items():
            friend = story.cast.friends[address][1]
            assert friend.fate == "accept", (address, steps)
        for customer in told(story):
            for friend in customer.friends:
                assert not friend.address or friend.fate != "accept" or story.mailed.get(friend.address, []).count("intro") == 1, friend

    def test_thanks_and_rewards_come_once_for_each(self, story):
        for customer in told(story):
            steps = collections.Counter(step for _, step in customer.mails)
            accepted = [friend for friend in customer.friends if friend.fate == "accept"]
            assert steps["thanks"] == len(accepted), (customer, steps)
            assert steps["reward"] == sum(friend.later == "customer" for friend in accepted), (customer, steps)


class TestScores:
    def test_each_is_on_the_contact(self, story):
        for customer in story.cast.customers:
            contact, = story.nurture.json("contact", "show", customer.address)
            want = customer.score if isinstance(customer.score, int) and customer.scored_at else None
            assert contact.get("score") == want, (customer, contact)

    def test_what_is_unclear_or_low_is_a_task_of_the_owner(self, story):
        tasks = collections.Counter(task["contact"] for task in story.nurture.json("task", "list", "--all") if task["source"] == "score")
        want = collections.Counter(customer.address for customer in story.cast.customers if customer.asked_score and
                                   (customer.score == "unclear" or isinstance(customer.score, int) and customer.score <= 6))
        assert tasks == want

    def test_who_is_unhappy_is_left_alone_until_released(self, story):
        for customer in story.cast.customers:
            if isinstance(customer.score, int) and customer.score <= 6 and customer.scored_at:
                until = customer.released_at or DAYS
                assert not [mail for mail in customer.mails if customer.scored_at + 2 + 3 / DAY_S < mail[0] < until], customer

    def test_only_the_happy_are_asked(self, story):
        for customer in story.cast.customers:
            assert not customer.asked or customer.score in (9, 10), customer
            assert customer.score not in (9, 10) or customer.asked in (1, 2), customer  # with its reminder


class TestHistories:
    def test_addresses_that_take_nothing_are_known_as_such(self, story):
        for customer in story.cast.customers:
            bounced = bool(story.nurture.history(customer.address, "bounce"))
            assert bounced == (customer.score == "bounce"), customer

    def test_absences_are_filed_as_such(self, story):
        for customer in story.cast.customers:
            assert len(story.nurture.history(customer.address, "auto-reply")) == int(customer.absent and customer.asked_score > 0), customer


class TestReports:
    def test_referrals(self, story):
        asked = [customer for customer in story.cast.customers if customer.asked]
        friends = [friend for customer in told(story) for friend in customer.friends]
        turned = [friend for friend in friends if friend.fate == "accept" and friend.later == "customer"]
        row, = story.nurture.json("report", "referrals")
        want = {"customers": len([c for c in story.cast.customers if c.score != "bounce"]) + len(turned), "asked": len(asked), "asks": len(asked),
                "answered": len([c for c in asked if c.answered and c.answer != "forward"]), "referrals": len(story.ledger),
                "accepted": len([friend for friend in friends if friend.fate == "accept"]), "new_customers": len(turned)}
        assert {key: row[key] for key in want} == want
