"""The daemon against the reference scheduler: random histories on a virtual clock, with restarts, kills, reloads, and
clocks that are set forward and back."""
import os
import random
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from story import Story  # noqa: E402


@pytest.mark.rounds(5)
def test_a_history_sends_what_the_reference_sends(seed):
    story = Story(random.Random(seed), people=40, halts=15, days=75)
    try:
        story.tell()
        differences = story.differences()
        assert not differences, differences
    finally:
        story.close()
