#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A program of some shape, whose part in IPv4 an audit has to tell.

  role_peer.py NAME SHAPE [WORD...]

Runs under that name, up to a dot, prints a JSON object with what a script needs to
know, and then does a thing for each line of standard input, and answers with a line;
until that ends, its sockets stay.
"""

import json
import os
import socket
import sys

from dsctl_peer import rename, visitor

ELSEWHERE = "192.0.2.1"     # an address of this host, not of 127.0.0.0/8
TIMEOUT = 60


def say(**what):
    print(json.dumps(what), flush=True)


def serve_lines(**calls):
    """A line of standard input is what to call, and with which words."""
    for line in sys.stdin:
        name, *words = line.split()
        print(calls[name](*words), flush=True)


def tcp_client(addr, port, source=None):
    """A client that does not go by the name of its server, from some address."""
    sock = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET)
    sock.settimeout(TIMEOUT)
    if source:
        sock.bind((source, 0))
    with visitor():
        sock.connect((addr, port))
    return sock


def refused(addr, port):
    try:
        tcp_client(addr, port).close()
        return "served"
    except ConnectionRefusedError:
        return "refused"


def listen(v6only, port):
    sock = socket.socket(socket.AF_INET6)
    sock.settimeout(TIMEOUT)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    sock.bind(("::", port))
    sock.listen()
    return sock


def server(v6only, port="0"):
    """A TCP server that is told which clients to have."""
    sock = listen(int(v6only), int(port))
    port = sock.getsockname()[1]
    kept = []

    def refuse(addr):
        return refused(addr, port)

    def serve(addr, source=None):
        with tcp_client(addr, port, source):
            sock.accept()[0].close()
        return "served"

    def connect(addr, port):
        """What the server itself does, under its own name."""
        socket.create_connection((addr, int(port)), TIMEOUT).close()
        return "connected"

    def accept():
        kept.append(sock.accept()[0])
        return "accepted"

    def drop():
        for conn in kept:
            conn.close()
        kept.clear()
        return "dropped"

    say(pid=os.getpid(), port=port)
    serve_lines(refuse=refuse, serve=serve, accept=accept, drop=drop,
                connect=connect)


def datagrams(family, addr="", port=0):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(TIMEOUT)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    if port or addr:
        sock.bind((addr, port))
    return sock


def free_port():
    """A port of UDP that nobody has, in a network namespace of the test's own."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind(("::", 0))
        return sock.getsockname()[1]


def echo():
    """A server of UDP: it answers as many as it is told to, or takes them, and
    answers the last one as a name server does that knows of nothing."""
    sock = datagrams(socket.AF_INET6, "::", free_port())
    taken = []

    def answer(count):
        for _ in range(int(count)):
            data, peer = sock.recvfrom(64)
            sock.sendto(data, peer[:2])
        return "answered"

    def take(count):
        for _ in range(int(count)):
            taken[:] = sock.recvfrom(2048)
        return "taken"

    def resolve():
        data, peer = taken
        response = data[2] | 0x80
        sock.sendto(data[:2] + bytes([response]) + data[3:], peer[:2])
        return "resolved"

    say(pid=os.getpid(), port=sock.getsockname()[1])
    serve_lines(answer=answer, take=take, resolve=resolve)


def asker(kind, port):
    """A client of UDP that does not connect: "logger" has an AF_INET socket,
    "quic" one at [::]:0, and "resolver" one of a port by chance, as dnsmasq."""
    prefix = ""
    if kind == "quic":
        sock = datagrams(socket.AF_INET6, "::")
        prefix = "::ffff:"
    elif kind == "resolver":
        sock = datagrams(socket.AF_INET, "0.0.0.0", free_port())
    else:
        sock = datagrams(socket.AF_INET)

    def send(count):
        for _ in range(int(count)):
            sock.sendto(b"x", (prefix + ELSEWHERE, int(port)))
        return "sent"

    def receive(count):
        for _ in range(int(count)):
            sock.recvfrom(64)
        return "received"

    say(pid=os.getpid())
    serve_lines(send=send, receive=receive)


def group(family, port, addr=""):
    """One of those that share a port by SO_REUSEPORT."""
    v6 = family == "AF_INET6"
    sock = socket.socket(getattr(socket, family))
    sock.settimeout(TIMEOUT)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if v6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::" if v6 else addr, int(port)))
    sock.listen()

    def serve(addr):
        with tcp_client(addr, sock.getsockname()[1]):
            sock.accept()[0].close()
        return "served"

    def refuse(addr):
        return refused(addr, sock.getsockname()[1])

    def connect(addr):
        """A client that whoever the kernel chooses is to accept."""
        tcp_client(addr, sock.getsockname()[1]).close()
        return "connected"

    def accepted():
        """How many there were at this socket, once all have come."""
        count = 0
        sock.settimeout(0)
        try:
            while True:
                sock.accept()[0].close()
                count += 1
        except BlockingIOError:
            return count

    say(pid=os.getpid(), port=sock.getsockname()[1])
    serve_lines(serve=serve, refuse=refuse, connect=connect,
                accepted=accepted)


def sorter():
    """Connects sockets over which nothing is sent, as getaddrinfo() does."""
    socks = [datagrams(socket.AF_INET), datagrams(socket.AF_INET6)]
    socks[0].connect((ELSEWHERE, 80))
    socks[1].connect(("::ffff:" + ELSEWHERE, 80))
    say(pid=os.getpid())
    serve_lines()


SHAPES = {"server": server, "echo": echo, "asker": asker, "group": group,
          "sorter": sorter}


def main():
    name, shape, *words = sys.argv[1:]
    rename(name.split(".")[0])
    SHAPES[shape](*words)


main()
