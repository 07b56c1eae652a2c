"""Reading of messages alone, beside GMime's own full decode of the same ones."""
import subprocess

ROUNDS, LEAST = 9, 0.5


def measure(table, driver):
    """The third table: at least half as fast as GMime alone, for letters and answers of 4 kB; the others are told."""
    table.head("figure")
    table.attempt("reading of messages", measure_kinds, table, driver)


def measure_kinds(table, driver):
    run = subprocess.run([driver, str(ROUNDS)], check=True, capture_output=True, text=True)
    for line in run.stdout.splitlines():
        kind, octets, theirs, ours = line.split("\t")
        share = float(ours) / float(theirs)
        table.row(f"{kind} ({int(octets):,} octets), read and classified", f">= {LEAST:g} of GMime's", f"{float(ours):,.0f} /s",
                  f"{share:.2f}" + ("" if share >= LEAST else "  missed"))
        table.note("  GMime's parse and full decode of the same", f"{float(theirs):,.0f} /s")
        table.failed += share < LEAST
