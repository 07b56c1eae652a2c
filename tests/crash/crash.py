#!/usr/bin/python3
"""make crash: 1,000 lives of a daemon that is killed while it sends, and started again: at each named crash point, and at random moments, each beside a
mail server that fails in each phase of SMTP in each way that hostile.py knows, and beside one that does not fail; a part with on_uncertain = "resend".

After each campaign (campaign.py): no message lost; none sent twice, but where it was in doubt and is to be sent again; every `uncertain` row explained by
what happened to it. And at the end: every point was met in every phase and way.
usage: crash.py [LIVES]   CRASH_SEED=N for other dice, CRASH_JOBS=2 campaigns at once. Exits 1 with the first campaign that does not hold.
"""
import concurrent.futures
import itertools
import os
import random
import re
import subprocess
import sys
import threading
import time

from campaign import HERE, POINTS, RANDOM, Campaign, Cell
from hostile import FAULTS

LIVES, MESSAGES = 25, 300  # of one campaign


class Deck:
    """What is still to be crossed: every point with every phase and fault. One that was missed is dealt again, when all others were; then all again."""

    def __init__(self, rng):
        self.every = [Cell(point, phase, fault) for point in [*POINTS, RANDOM] for phase, faults in FAULTS.items() for fault in faults]
        self.rng, self.lock, self.left, self.crossed = rng, threading.Lock(), [], set()

    def deal(self, count):
        with self.lock:
            hand = []
            while len(hand) < count:
                if not self.left:
                    self.left = [cell for cell in self.every if cell not in self.crossed] or list(self.every)
                    self.rng.shuffle(self.left)
                hand.append(self.left.pop())
            return hand

    def take_back(self, crossed, missed):
        with self.lock:
            self.crossed.update(crossed)
            self.left[:0] = [cell for cell in missed if cell not in self.crossed]


def unmet_points():
    """Crash points that the source names and no test meets: the way in and the Sent folder are the end-to-end tests', beside a real Dovecot."""
    def grep(pattern, folder):
        return subprocess.run(["grep", "-rhoE", pattern, os.path.join(HERE, folder)], capture_output=True, text=True, check=True).stdout
    named, met = set(re.findall(r'"([^"]+)"', grep(r'crash_point\([^)]+\)', "../../daemon"))), grep('"[a-z]+-[a-z-]+[:"]', "../e2e")
    return [point for point in named if point not in POINTS and not re.search(f'"{point}[:"]', met)]


def deal(number, deck, seed, lives):
    """The cells of a campaign: every seventh is beside a server that does not fail."""
    if number % 7:
        return deck.deal(lives)
    rng = random.Random(f"{seed} {number}")
    return [Cell(rng.choice([*POINTS, RANDOM]), "", "") for _ in range(lives)]


def run(number, deck, seed, lives):
    """One campaign of so many lives, every third with resend. Cells that were not crossed go back to the deck."""
    cells = deal(number, deck, seed, lives)
    campaign = Campaign(f"{seed} {number}", MESSAGES, hostile=bool(cells[0].phase), resend=number % 3 == 2)
    left = cells
    try:
        left = campaign.lives(cells)
        campaign.finish()
    except AssertionError as fault:
        campaign.faults.append(str(fault))
    finally:
        campaign.close()
    if cells[0].phase:
        deck.take_back(campaign.crossed, campaign.missed + left)
    return campaign


def tell(number, campaign, seconds):
    kind = ("against a hostile server" if campaign.crossed and campaign.crossed[0].phase else "against an honest server") + ", resend" * campaign.resend
    print(f"campaign {number} {kind}: {campaign.kills} lives, {len(campaign.crossed)} ended where they should, {dict(campaign.states)}, "
          f"{campaign.twice} twice, {seconds:.1f} s, {len(campaign.faults)} faults", flush=True)
    print("\n".join(campaign.faults[:20]), end="\n" if campaign.faults else "", flush=True)


def main():
    lives, seed, jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000, os.environ.get("CRASH_SEED", "1"), int(os.environ.get("CRASH_JOBS", "2"))
    unmet = unmet_points()
    if unmet:
        print("crash points that no test meets:", *unmet)
        return 1
    deck, numbers, ended = Deck(random.Random(seed)), itertools.count(), []

    def work():
        while sum(c.kills for c in ended) < lives and not any(c.faults for c in ended):
            began, number = time.monotonic(), next(numbers)
            ended.append(run(number, deck, seed, min(LIVES, lives)))
            tell(number, ended[-1], time.monotonic() - began)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for future in [pool.submit(work) for _ in range(jobs)]:
            future.result()
    return conclude(ended, deck, lives)


def conclude(ended, deck, lives):
    crossed, every = len(deck.crossed), len(deck.every)
    uncertain, twice = sum(c.states["uncertain"] for c in ended), sum(c.twice for c in ended)
    print(f"{len(ended)} campaigns, {sum(c.kills for c in ended)} lives, {sum(c.messages for c in ended)} messages; {crossed} of {every} crossings of "
          f"{len(POINTS) + 1} points with {every // (len(POINTS) + 1)} ways to fail; {uncertain} uncertain, each explained; {twice} twice, all where that is wanted")
    if any(c.faults for c in ended):
        return 1
    if lives >= 2 * every and (crossed < every or not twice):
        print("not crossed:", *sorted(set(deck.every) - deck.crossed), sep="\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
