"""SIGKILL at any moment of a run, started again many times: none lost, none twice, and what is in doubt is explained. make crash does it at length."""
import os
import random
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "crash"))
from campaign import POINTS, RANDOM, Campaign, Cell  # noqa: E402
from hostile import FAULTS  # noqa: E402


class TestCrash:
    def live_through(self, cells, messages, **options):
        campaign = Campaign(20260105, messages, **options)
        try:
            campaign.lives(cells)
            campaign.finish()
            assert not campaign.faults, campaign.faults[:10]
            return campaign
        finally:
            campaign.close()

    def test_ten_kills_beside_an_honest_server(self):
        cells = [Cell(point, "", "") for point in [*POINTS, *[RANDOM] * 5]]
        assert len(self.live_through(cells, 500).crossed) >= 5

    @pytest.mark.parametrize("resend", [False, True], ids=["hold", "resend"])
    def test_a_server_that_fails_in_each_phase_and_kills_beside_it(self, resend):
        dice = random.Random(resend)
        cells = [Cell(dice.choice([*POINTS, RANDOM]), phase, dice.choice(faults)) for phase, faults in FAULTS.items()]
        campaign = self.live_through(cells, 200, hostile=True, resend=resend)
        assert len(campaign.crossed) >= 4 and {cell.phase for cell in campaign.crossed} <= set(FAULTS)
