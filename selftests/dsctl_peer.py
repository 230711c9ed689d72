#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Open sockets, let clients at them, and tell what the application saw.

Prints one JSON object, {"sockets": [...], "sums": {...}}, in the terms of
`dsctl -j show sockets` and `dsctl -j show stats`, and keeps the sockets open
until standard input ends.
"""

import json
import os
import socket
import struct
import sys

SO_COOKIE = 57
COUNTERS = ("mapped_accept", "native_accept", "mapped_recv", "native_recv",
            "reject_v6only")
TIMEOUT = 10


def cookie(sock):
    raw = sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8)
    return struct.unpack("=Q", raw)[0]


class Server:
    """A socket and what it saw."""

    def __init__(self, proto, mode, addr="::"):
        kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[proto]
        self.kind = kind
        self.sock = socket.socket(socket.AF_INET6, kind)
        self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY,
                             int(mode == "v6only"))
        self.sock.bind((addr, 0))
        self.sock.settimeout(TIMEOUT)
        if proto == "tcp":
            self.sock.listen()
        self.port = self.sock.getsockname()[1]
        self.seen = dict.fromkeys(COUNTERS, 0)
        self.shown = {
            "proto": proto,
            "state": "LISTEN" if proto == "tcp" else "UNCONN",
            "mode": mode,
            "local_addr": addr,
            "local_port": self.port,
            # bind() to an IPv6 address sets it, too.
            "v6only": bool(self.sock.getsockopt(socket.IPPROTO_IPV6,
                                                socket.IPV6_V6ONLY)),
            "cookie": cookie(self.sock),
            "uid": os.getuid(),
            "inode": os.fstat(self.sock.fileno()).st_ino,
            "shadowed": False,
            "last_mapped_peer": None,
            "last_rejected_peer": None,
        }

    def client(self, addr):
        """A bound socket, of another port than the server's."""
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        sock = socket.socket(family, self.kind)
        sock.settimeout(TIMEOUT)
        sock.bind((addr, 0))
        if sock.getsockname()[1] != self.port:
            return sock
        # It would talk to itself.
        with sock:
            return self.client(addr)

    def serve(self, addr):
        """One client that this socket answers."""
        with self.client(addr) as client:
            client.connect((addr, self.port))
            if self.kind == socket.SOCK_STREAM:
                conn, peer = self.sock.accept()
                conn.close()
                event = "accept"
            else:
                client.send(b"x")
                peer = self.sock.recvfrom(1)[1]
                event = "recv"
        mapped = peer[0].startswith("::ffff:")
        self.seen[("mapped_" if mapped else "native_") + event] += 1
        if mapped:
            self.shown["last_mapped_peer"] = \
                "%s:%d" % (peer[0][len("::ffff:"):], peer[1])

    def refuse(self, addr):
        """One client that gets ECONNREFUSED."""
        with self.client(addr) as client:
            name = client.getsockname()
            try:
                client.connect((addr, self.port))
                client.send(b"x")
                client.recv(1)
            except ConnectionRefusedError:
                self.seen["reject_v6only"] += 1
                self.shown["last_rejected_peer"] = "%s:%d" % name

    def show(self):
        return {**self.shown, **self.seen}


def main():
    servers = [
        Server("tcp", "dual"), Server("udp", "dual"),
        Server("tcp", "v6only"), Server("udp", "v6only"),
        Server("tcp", "v6", "::1"), Server("udp", "dual"),
    ]
    for number, server in enumerate(servers[:4]):
        for i in range(3 + number):
            if server.shown["mode"] == "v6only":
                server.refuse("127.0.0.1")
            else:
                server.serve("127.0.0.1")
            if i % 2:
                server.serve("::1")
    servers[4].serve("::1")
    # The last one sees nobody and is to be listed all the same.

    sums = {name: sum(s.seen[name] for s in servers) for name in COUNTERS}
    sums["untracked"] = 0
    sums["tracked"] = sum(any(s.seen.values()) for s in servers)
    print(json.dumps({"pid": os.getpid(), "sums": sums,
                      "sockets": [s.show() for s in servers]}), flush=True)
    sys.stdin.read()


main()
