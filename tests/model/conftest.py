"""How long the model is compared with the program, and from where: NURTURE_MODEL_ROUNDS, NURTURE_MODEL_SEED."""
import os
import random

SEED = int(os.environ.setdefault("NURTURE_MODEL_SEED", str(random.SystemRandom().randrange(10**9))))  # setdefault: workers get the same
ROUNDS = float(os.environ.get("NURTURE_MODEL_ROUNDS", "1"))  # 1: about a minute


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"NURTURE_MODEL_SEED={SEED} NURTURE_MODEL_ROUNDS={ROUNDS:g}; a test's number is its own seed")


def pytest_generate_tests(metafunc):
    """A test that takes a seed runs once for each of so many as its `rounds` says."""
    marker = metafunc.definition.get_closest_marker("rounds")
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", [SEED + n for n in range(max(1, round(marker.args[0] * ROUNDS)))])


def pytest_configure(config):
    config.addinivalue_line("markers", "rounds(n): how many seeds the test is run with, for each NURTURE_MODEL_ROUNDS")
