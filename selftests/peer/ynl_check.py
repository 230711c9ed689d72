#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Talk to the module by the kernel's own client, which knows of it but the spec.

  ynl_check.py YNL SPEC TEST [EXAMPLE]

YNL is tools/net/ynl of a kernel tree. What the client makes of an answer is
compared with what this process saw, in words and addresses that people can read.
EXAMPLE is a program that prints who is refused.
"""

import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

# Where newer kernels have it, and older ones.
sys.path[:0] = [os.path.join(sys.argv[1], "pyynl"), sys.argv[1]]
from lib import YnlFamily  # noqa: E402

SO_COOKIE = getattr(socket, "SO_COOKIE", 57)
TIMEOUT = 60	# seconds, of a slow machine
PORT = 4711


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


def server(family, addr, port=0, v6only=0):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    sock.bind((addr, port))
    sock.settimeout(TIMEOUT)
    return sock


def datagram_to(sock, family, loopback):
    """A datagram for the port of a socket, from one that is bound."""
    client = socket.socket(family, socket.SOCK_DGRAM)
    client.bind((loopback, 0))
    client.sendto(b"x", (loopback, sock.getsockname()[1]))
    return client


def serve_mapped(port=0):
    """A dual socket that has taken a datagram of IPv4, and the client."""
    sock = server(socket.AF_INET6, "::", port)
    client = datagram_to(sock, socket.AF_INET, "127.0.0.1")
    sock.recv(1)
    return sock, client


def take(messages):
    """The next one, or None, of a list as older kernels have it, or of a queue."""
    if isinstance(messages, list):
        return messages.pop(0) if messages else None
    return None if messages.empty() else messages.get()


def next_event(ynl, known):
    """The next one with a number beyond those that are known."""
    while True:
        while message := take(ynl.async_msg_queue):
            event = message["msg"]
            if event["seq"] > known:
                return event
        if not select.select([ynl.sock], [], [], TIMEOUT)[0]:
            sys.exit("no event in %d s" % TIMEOUT)
        ynl.check_ntf()


def listen(ynl):
    """Have events sent, and return the number of the last one."""
    # By another socket: the client of 6.12 fails where an event precedes an answer.
    asker = YnlFamily(sys.argv[2], schema="")
    ynl.ntf_subscribe("events")
    seq = None
    while seq is None:
        seq = asker.do("events-start", {}).get("event-seq")
    return seq


def events(ynl):
    seq = listen(ynl)
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
    # Sockets of the test before may still wait for RCU.
    former = {got["cookie"] for got in ynl.dump("socket-get", {})}
    sock, client = serve_mapped()
    got = ynl.do("socket-get", {"cookie": cookie(sock)})
    expect({"cookie": cookie(sock), "family": socket.AF_INET6,
            "counters": {"mapped-recv": 1, "native-recv": 0},
            "last-mapped-peer": end(client)}, got)
    # The two are all there is besides, in a namespace of its own.
    dump = {got["cookie"]: got for got in ynl.dump("socket-get", {})}
    if dump.keys() - former != {cookie(sock), cookie(client)}:
        sys.exit("records: %r" % dump)
    expect({"family": socket.AF_INET, "counters": {"v4-send": 1, "v4-recv": 0}},
           dump[cookie(client)])


def explain(ynl):
    sock = server(socket.AF_INET6, "::")
    got = ynl.do("explain", {"protocol": socket.IPPROTO_UDP,
                             "addr": socket.inet_aton("127.0.0.1"),
                             "port": sock.getsockname()[1]})
    expect({"verdict": "mapped", "local": 1, "cookie": cookie(sock)}, got)


# Where the kernel has CONFIG_PREEMPT_RT, no hook is a tracepoint.
DROP_KIND = "direct" if "PREEMPT_RT" in os.uname().version else "tracepoint"


def hooks(ynl):
    kinds = {hook["name"]: hook["kind"] for hook in ynl.dump("hook-get", {})}
    expect({"kfree_skb": DROP_KIND}, kinds)
    if not set(kinds.values()) <= {"tracepoint", "ftrace", "direct"}:
        sys.exit("kinds of hooks: %r" % kinds)


def cli_of(*args):
    """cli.py as a process."""
    places = os.path.join(sys.argv[1], "pyynl"), sys.argv[1]
    path = next(place for place in places if os.path.exists(place + "/cli.py"))
    return subprocess.Popen([sys.executable, path + "/cli.py", "--spec", sys.argv[2],
                             "--no-schema", "--output-json", *args],
                            stdout=subprocess.PIPE, text=True)


def printed(process):
    """What it prints, a value on each line, if it is happy."""
    said = process.communicate()[0]
    if process.returncode:
        sys.exit("%s: %s" % (process.args, said))
    return [json.loads(line) for line in said.splitlines()]


def cli_multi(*asked):
    """Requests in one send(), each with what is expected in the answer."""
    words = [word for op, attrs, _ in asked for word in ("--multi", op, json.dumps(attrs))]
    answers = printed(cli_of(*words))[0]
    for (op, _, want), got in zip(asked, answers, strict=True):
        print(op, got)
        expect(want, got or {})
    return {(op, "do") for op, _, _ in asked}


def cli_dump(op, key, want):
    """Of each of the entries by a key, what is expected in it."""
    got = {entry[key]: entry for entry in printed(cli_of("--dump", op))[0]}
    print(op, got)
    for name, attrs in want.items():
        expect(attrs, got.get(name, {}))
    return {(op, "dump")}


def cli(ynl):
    """All that the spec has, by cli.py: do, dump and subscribe."""
    ynl.do("reset", {})
    sock, client = serve_mapped(PORT)
    udp = {"protocol": socket.IPPROTO_UDP}
    port = dict(udp, port=PORT)
    known = {"cookie": cookie(sock)}
    counted = {"counters": {"mapped-recv": 1}}

    # Newer kernels take an address as they print it, older ones its bytes.
    addr = "127.0.0.1" if hasattr(ynl, "_from_string") else "7f000001"
    # Those with a part in it that takes long have to be the last of a send().
    done = cli_multi(
        ("socket-get", known, counted), ("stats-get", udp, counted),
        ("port-get", port, counted),
        ("hook-get", {"name": "kfree_skb"}, {"kind": DROP_KIND, "attached": 1}),
        ("config-set", {"event-rate": 4712}, {}),
        ("config-get", {}, {"tracking": 1, "event-rate": 4712}),
        ("explain", dict(port, addr=addr), {"verdict": "mapped", **known}),
        ("rule-set", dict(port, v6only=1), {}),
        ("rule-get", port, {"v6only": 1, "applied": 0}),
        ("peer-get", {"direction": "in"}, {"entries": 1, "count": 1}))
    done |= cli_dump("socket-get", "cookie",
                     {cookie(sock): counted,
                      cookie(client): {"counters": {"v4-send": 1}}})
    done |= cli_dump("port-get", "port", {PORT: counted,
                                          0: {"counters": {"v4-send": 1}}})
    done |= cli_dump("hook-get", "name", {"kfree_skb": {"kind": DROP_KIND}})
    done |= cli_dump("rule-get", "port", {PORT: {"v6only": 1}})
    done |= cli_dump("peer-get", "direction",
                     {"in": {"local-port": PORT, "addr": "127.0.0.1", "count": 1},
                      "out": {"port": PORT, "comm": "python3", "count": 1}})
    done |= cli_multi(("rule-del", port, {}),
                      ("v6only-set", dict(port, **known, v6only=1), {"changed": 1}))
    if not sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
        sys.exit("v6only-set has changed nothing")
    done |= cli_multi(("reset", {}, {}))
    expect({"counters": {"mapped-recv": 0}}, ynl.do("stats-get", {}))

    done |= cli_events()
    lacks = {(op.name, mode) for op in ynl.msgs.values() for mode in op.modes} - done
    if lacks:
        sys.exit("not asked by cli.py: %s" % lacks)


def cli_events():
    """It listens for some seconds, in which there are events: for more of them, where it
    has begun too late for those. While this process listens as well, it may start them."""
    # A socket that has asked something has its address, and can listen no more.
    listener = YnlFamily(sys.argv[2], schema="")
    listen(listener)
    if printed(cli_of("--do", "events-start"))[0].get("event-seq") is None:
        sys.exit("events-start: no number of an event")
    sock, _ = serve_mapped()
    want = {"type": "mapped-recv", "cookie": cookie(sock), "family": socket.AF_INET,
            "peer": {"addr": "127.0.0.1"}}
    for seconds in (1, 5, 25):
        process = cli_of("--subscribe", "events", "--sleep", str(seconds))
        while process.poll() is None:
            datagram_to(sock, socket.AF_INET, "127.0.0.1").close()
            sock.recv(1)
            time.sleep(seconds / 10)	# so few that the pipe has room for all
        # Each on a line, or as older kernels have it all in a list
        came = printed(process)
        if came and isinstance(came[0], list):
            came = came[0]
        got = [event["msg"] for event in came
               if event["msg"].get("type") == "mapped-recv"]
        if got:
            expect(want, got[0])
            listener.sock.close()
            return {("events-start", "do"), ("event", "event")}
    sys.exit("cli.py has seen no event")


def example(_):
    """A client is tried, again and again, until the program tells that it was refused."""
    sock = server(socket.AF_INET6, "::", PORT, v6only=1)
    want = "reject-v6only 127.0.0.1 at port %d cookie %d\n" % (PORT, cookie(sock))
    process = subprocess.Popen([sys.executable, sys.argv[4], *sys.argv[1:3]],
                               stdout=subprocess.PIPE, text=True)
    end = time.monotonic() + TIMEOUT
    while not select.select([process.stdout], [], [], 0.1)[0]:
        if time.monotonic() > end:
            break
        datagram_to(sock, socket.AF_INET, "127.0.0.1").close()
    process.terminate()
    got = process.stdout.readline()
    if got != want:
        sys.exit("%r is expected, not %r" % (want, got))


if __name__ == "__main__":
    {"events": events, "records": records, "explain": explain, "hooks": hooks,
     "cli": cli, "example": example}[sys.argv[3]](YnlFamily(sys.argv[2], schema=""))
