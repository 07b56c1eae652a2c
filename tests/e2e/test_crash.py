"""SIGKILL at any moment of a run of 500 messages, started again ten times: none lost, none twice."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "crash"))
from crash import campaign  # noqa: E402


class TestCrash:
    def test_500_messages_over_ten_kills_reach_everybody_once_or_are_uncertain(self):
        kills, uncertain, faults = campaign(seed=20260105, messages=500, kills=10)
        assert not faults, faults[:10]
        assert kills >= 8
        # what was in flight: on each of four connections at most 64 (engine/pace.h), however fast the server
        assert uncertain <= kills * 4 * 64

    def test_a_server_that_fails_at_any_phase_and_kills_beside_it_lose_and_double_nothing(self):
        kills, _, faults = campaign(seed=20260106, messages=150, kills=8, hostile=True)
        assert not faults, faults[:10]
        assert kills >= 6
