#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Talk to the module by the kernel's own client, which knows of it but the spec.

  ynl_check.py YNL SPEC TEST

YNL is tools/net/ynl of a kernel tree. What the client makes of an answer is
compared with what this process saw, in words and addresses that people can read.
"""

import os
import select
import socket
import struct
import sys

# Where newer kernels have it, and older ones.
sys.path[:0] = [os.path.join(sys.argv[1], "pyynl"), sys.argv[1]]
from lib import YnlFamily  # noqa: E402

SO_COOKIE = getattr(socket, "SO_COOKIE", 57)
TIMEOUT = 60	# seconds, of a slow machine


def expect(want, got):
    """All that is wanted is there, whatever else is."""
    for key, value in want.items():
        if isinstance(value, dict):
            expect(value, got.get(key, {}))
        elif got.get(key) != value:
            sys.exit("%s: %r is expected in %r" % (key, value, got))


def cookie(sock):
    raw = sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8)
    return struct.unpack("=Q", raw)[0]


def end(sock):
    addr, port = sock.getsockname()[:2]
    return {"addr": addr, "port": port}


def server(family, addr):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind((addr, 0))
    sock.settimeout(TIMEOUT)
    return sock


def datagram_to(sock, family, loopback):
    """A datagram for the port of a socket, from one that is bound."""
    client = socket.socket(family, socket.SOCK_DGRAM)
    client.bind((loopback, 0))
    client.sendto(b"x", (loopback, sock.getsockname()[1]))
    return client


def serve_mapped():
    """A dual socket that has taken a datagram of IPv4, and the client."""
    sock = server(socket.AF_INET6, "::")
    client = datagram_to(sock, socket.AF_INET, "127.0.0.1")
    sock.recv(1)
    return sock, client


def next_event(ynl, known):
    """The next one with a number beyond those that are known."""
    while True:
        while ynl.async_msg_queue:
            event = ynl.async_msg_queue.pop(0)["msg"]
            if event["seq"] > known:
                return event
        if not select.select([ynl.sock], [], [], TIMEOUT)[0]:
            sys.exit("no event in %d s" % TIMEOUT)
        ynl.check_ntf()


def events(ynl):
    # By another socket: the client of 6.12 fails where an event precedes an answer.
    asker = YnlFamily(sys.argv[2], schema="")
    ynl.ntf_subscribe("events")
    seq = None
    while seq is None:
        seq = asker.do("events-start", {}).get("event-seq")

    sock, client = serve_mapped()
    event = next_event(ynl, seq)
    expect({"seq": seq + 1, "type": "v4-send", "family": socket.AF_INET,
            "protocol": socket.IPPROTO_UDP, "cookie": cookie(client),
            "peer": {"addr": "127.0.0.1", "port": sock.getsockname()[1]}}, event)
    event = next_event(ynl, seq + 1)
    expect({"seq": seq + 2, "type": "mapped-recv", "family": socket.AF_INET,
            "protocol": socket.IPPROTO_UDP, "cookie": cookie(sock),
            "local": {"addr": "127.0.0.1", "port": sock.getsockname()[1]},
            "peer": end(client)}, event)

    sock = server(socket.AF_INET, "0.0.0.0")
    client = datagram_to(sock, socket.AF_INET6, "::1")
    event = next_event(ynl, seq + 2)
    expect({"seq": seq + 3, "type": "reject-v4only", "family": socket.AF_INET6,
            "cookie": cookie(sock),
            "local": {"addr": "::1", "port": sock.getsockname()[1]},
            "peer": end(client)}, event)


def records(ynl):
    sock, client = serve_mapped()
    got = ynl.do("socket-get", {"cookie": cookie(sock)})
    expect({"cookie": cookie(sock), "family": socket.AF_INET6,
            "counters": {"mapped-recv": 1, "native-recv": 0},
            "last-mapped-peer": end(client)}, got)
    # The two are all there is, in a namespace of its own.
    dump = {got["cookie"]: got for got in ynl.dump("socket-get", {})}
    if dump.keys() != {cookie(sock), cookie(client)}:
        sys.exit("records: %r" % dump)
    expect({"family": socket.AF_INET, "counters": {"v4-send": 1, "v4-recv": 0}},
           dump[cookie(client)])


def explain(ynl):
    sock = server(socket.AF_INET6, "::")
    got = ynl.do("explain", {"protocol": socket.IPPROTO_UDP,
                             "addr": socket.inet_aton("127.0.0.1"),
                             "port": sock.getsockname()[1]})
    expect({"verdict": "mapped", "local": 1, "cookie": cookie(sock)}, got)


def hooks(ynl):
    kinds = {hook["name"]: hook["kind"] for hook in ynl.dump("hook-get", {})}
    expect({"kfree_skb": "tracepoint"}, kinds)
    if not set(kinds.values()) <= {"tracepoint", "ftrace", "direct"}:
        sys.exit("kinds of hooks: %r" % kinds)


if __name__ == "__main__":
    {"events": events, "records": records, "explain": explain,
     "hooks": hooks}[sys.argv[3]](YnlFamily(sys.argv[2], schema=""))
