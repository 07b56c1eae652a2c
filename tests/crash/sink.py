"""An SMTP server that counts messages by recipient. Prints its port; answers each line with a line of JSON, as hostile.py does."""
import collections
import json
import logging
import os
import sys

from aiosmtpd.controller import Controller

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from world import free_port  # noqa: E402

logging.disable(logging.CRITICAL)
counts = collections.Counter()


class Counter:
    async def handle_DATA(self, server, session, envelope):
        counts.update(envelope.rcpt_tos)
        return "250 2.0.0 Ok"


controller = Controller(Counter(), hostname="127.0.0.1", port=free_port())
controller.start()
print(controller.port, flush=True)
for line in sys.stdin:
    print(json.dumps({"taken": dict(counts), "hurt": {}, "bites": 0}), flush=True)
