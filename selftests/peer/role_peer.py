#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A program of some shape, whose part in IPv4 an audit has to tell.

  role_peer.py NAME SHAPE [WORD...]

Runs under that name, prints a JSON object with what a script needs to know, and
then does a thing for each line of standard input, and answers with a line; until
that ends.
"""

import json
import os
import socket
import sys

ELSEWHERE = "192.0.2.1"     # an address of this host, not of 127.0.0.0/8
TIMEOUT = 20


def say(**what):
    print(json.dumps(what), flush=True)


def serve_lines(**calls):
    """A line of standard input is what to call, and with which words."""
    for line in sys.stdin:
        name, *words = line.split()
        print(calls[name](*words), flush=True)


def tcp_client(addr, port):
    sock = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET)
    sock.settimeout(TIMEOUT)
    sock.connect((addr, port))
    return sock


def listen(v6only, port=0):
    sock = socket.socket(socket.AF_INET6)
    sock.settimeout(TIMEOUT)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    sock.bind(("::", port))
    sock.listen()
    return sock


def server():
    """A TCP server that is told which clients to have."""
    sock = listen(1)
    port = sock.getsockname()[1]
    kept = []

    def refuse(addr):
        try:
            tcp_client(addr, port).close()
            return "served"
        except ConnectionRefusedError:
            return "refused"

    def serve(addr):
        with tcp_client(addr, port):
            sock.accept()[0].close()
        return "served"

    def accept():
        kept.append(sock.accept()[0])
        return "accepted"

    def drop():
        for conn in kept:
            conn.close()
        kept.clear()
        return "dropped"

    say(pid=os.getpid(), port=port)
    serve_lines(refuse=refuse, serve=serve, accept=accept, drop=drop)


SHAPES = {"server": server}


def main():
    name, shape, *words = sys.argv[1:]
    with open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write(name)
    SHAPES[shape](*words)
    sys.stdin.read()


main()
