#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Have sockets come and go, and compare what dsctl exports with what they saw.

    export_peer.py CASE DSCTL

The cases are the functions at the end whose names are one word.
"""

import collections
import json
import os
import socket
import subprocess
import sys

CHECK = os.path.join(os.path.dirname(__file__), "prom_check.py")
PORT = 7000		# what servers ask for by number
CLIENTS = 100
ROUNDS = 10 if os.environ.get("KSFT_MACHINE_SLOW") else 40


def export(*options):
    """The samples by name and labels, the netns left out."""
    text = subprocess.run([sys.argv[2], *options, "export"], check=True,
                          stdout=subprocess.PIPE).stdout
    out = subprocess.run([CHECK], input=text, check=True,
                         stdout=subprocess.PIPE).stdout
    samples = {}
    for sample in json.loads(out):
        sample["labels"].pop("netns", None)
        key = (sample["name"].removeprefix("dualstack_"),
               *sorted(sample["labels"].items()))
        samples[key] = sample["value"]
    return samples


def total(samples, name, **labels):
    """What the samples add up to that have a name and such labels."""
    return sum(value for key, value in samples.items()
               if key[0] == name and labels.items() <= dict(key[1:]).items())


def expect(what, want, got):
    if want != got:
        sys.exit("%s: %s instead of %s" % (what, got, want))


def server(port, family=socket.AF_INET6, addr="::"):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(60)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((addr, port))
    return sock


def send(port, source="127.0.0.1"):
    """One datagram over IPv4, by a client that is gone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.sendto(b"x", ("127.0.0.1", port))


def serve(sock, n):
    for _ in range(n):
        send(sock.getsockname()[1])
        sock.recv(1)


def mapped(samples, port=PORT):
    return total(samples, "socket_mapped_recv_total", proto="udp",
                 local_port=str(port))


def workers():
    """Of those that share a port one ends, and then the other (a reload)."""
    first = server(PORT)
    serve(first, 5)
    expect("one worker", 5, mapped(export()))
    second = server(PORT)
    first.close()
    expect("one ended, one new", 5, mapped(export()))
    serve(second, 3)
    expect("both have served", 8, mapped(export()))
    with server(PORT, socket.AF_INET, "127.0.0.1") as third:
        serve(third, 2)
        expect("one of AF_INET", 2,
               total(export(), "socket_v4_recv_total", local_port=str(PORT)))
    second.close()
    samples = export()
    expect("nobody left", 8, mapped(samples))
    expect("nobody's name", 8,
           total(samples, "socket_mapped_recv_total", comm="",
                 local_addr="", local_port=str(PORT)))
    # It is the service that it was, whoever runs it.
    with server(PORT) as fourth:
        serve(fourth, 1)
        with open("/proc/self/comm", encoding="utf-8") as comm:
            name = comm.read().rstrip("\n")
        expect("its name", 9,
               total(export(), "socket_mapped_recv_total", comm=name,
                     mode="dual", local_addr="::", local_port=str(PORT)))


def clients():
    """Sockets whose ports the kernel chose: no series of their own."""
    socks = []
    with server(PORT) as sink:
        for i in range(CLIENTS):
            sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            if i % 2:
                sock.sendto(b"x", ("::ffff:127.0.0.1", PORT))
                sink.recv(1)
            else:
                sock.bind(("::", 0))
            socks.append(sock)
        before = export()
        listed = export("-a")
    expect("sockets", True, total(before, "sockets") >= CLIENTS)
    for samples in before, listed:
        expect("ports", {"", str(PORT)},
               {dict(key[1:]).get("local_port", "") for key in samples
                if "proto" in dict(key[1:])})
        expect("samples of nothing", [],
               [key for key, value in samples.items()
                if not value and key[0].startswith("socket")])
        expect("sent", CLIENTS // 2,
               total(samples, "socket_mapped_send_total", local_port=""))
    for sock in socks:
        sock.close()
    after = export()
    expect("sent, and closed", CLIENTS // 2,
           total(after, "socket_mapped_send_total", local_port=""))
    expect("series that are left", True, len(after) < len(before) + 5)


def churn():
    """Servers and clients come and go: no counter falls."""
    last = collections.Counter()
    seen = 0
    for i in range(ROUNDS):
        for port in range(PORT, PORT + 3):
            with server(port) as sock:
                serve(sock, 1 + i % 3)
                seen += 1 + i % 3
                if i % 2:
                    samples = export()
        if not i % 2:
            samples = export()
        now = collections.Counter()
        for key, value in samples.items():
            if key[0].endswith("_total"):
                labels = dict(key[1:])
                now[key[0], labels.get("proto"),
                    labels.get("local_port")] += value
        for key, value in last.items():
            if now[key] < value:
                sys.exit("%s fell from %d to %d" % (key, value, now[key]))
        last = now
    expect("all", seen, total(export(), "socket_mapped_recv_total"))


def peers():
    """How many there are, and never who."""
    with server(PORT) as sock:
        for i in range(30):
            send(PORT, "127.0.0.%d" % (1 + i % 10))
            sock.recv(1)
        samples = export()
    expect("clients", 10, total(samples, "peers", direction="in", proto="udp",
                                port=str(PORT)))
    # send() had each socket end; they all went to one place.
    expect("servers", 1, total(samples, "peers", direction="out", proto="udp",
                               port=""))
    expect("labels", {("direction", "port", "proto")},
           {tuple(dict(key[1:])) for key in samples if key[0] == "peers"})
    for direction, entries in ("in", 10), ("out", 1), ("refused", 0), ("refused-out", 0):
        expect("entries, " + direction, entries,
               samples["ledger_entries", ("direction", direction)])
    expect("an address", [],
           [key for key in samples for label in key[1:]
            if label[1].startswith("127.")])
    # A full ledger is one that has as many as it may.
    subprocess.run([sys.argv[2], "set", "max-peers", "10"], check=True)
    subprocess.run([sys.argv[2], "set", "max-sockets", "4711"], check=True)
    with server(PORT) as sock:
        for i in range(20, 40):
            send(PORT, "127.0.0.%d" % i)
            sock.recv(1)
        samples = export()
    expect("max-peers", 10, samples["max_peers",])
    expect("max-sockets", 4711, samples["max_sockets",])
    expect("entries of a full ledger", 10,
           samples["ledger_entries", ("direction", "in")])


globals()[sys.argv[1]]()
