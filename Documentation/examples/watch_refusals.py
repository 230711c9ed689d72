#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Print a line for each client that is refused for the sake of its address family.

  watch_refusals.py YNL SPEC

YNL is tools/net/ynl of a kernel tree, SPEC is dualstack.yaml: all that this knows of
the module. It takes CAP_NET_ADMIN, as dsctl monitor reject does.
"""
import select
import sys
import time

sys.path[:0] = [sys.argv[1] + "/pyynl", sys.argv[1]]	# newer kernels, older ones
from lib import YnlFamily  # noqa: E402

CLIENTS = ("reject-v6only", "reject-addr", "reject-v4only")	# not calls made here

events = YnlFamily(sys.argv[2], schema="")
events.ntf_subscribe("events")
# By a socket of its own: an event could come before the answer.
requests = YnlFamily(sys.argv[2], schema="")
while (seq := requests.do("events-start", {}).get("event-seq")) is None:
    time.sleep(0.01)


def messages():
    """Each that comes"""
    if hasattr(events, "poll_ntf"):	# newer kernels
        yield from events.poll_ntf()
    while select.select([events.sock], [], []):
        events.check_ntf()
        while events.async_msg_queue:
            yield events.async_msg_queue.pop(0)


for message in messages():
    event = message["msg"]
    if event["seq"] > seq + 1:
        print("%d events were lost" % (event["seq"] - seq - 1), flush=True)
    seq = max(seq, event["seq"])
    if event.get("type") in CLIENTS:
        print(event["type"], event["peer"]["addr"], "at port", event["local"]["port"],
              "cookie", event["cookie"], flush=True)
