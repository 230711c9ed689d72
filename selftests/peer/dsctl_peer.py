#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Open sockets, let clients at them, and tell what the application saw.

Prints one JSON object in the terms of `dsctl -j show sockets` and `dsctl -j
show stats`, and keeps the sockets open until standard input ends:

  sockets  what is listed
  hidden   what is listed with -a only
  spoofed  port of the socket that got a mapped address from the wire
  sums     the counters of all of them
"""

import contextlib
import errno
import json
import os
import socket
import struct
import sys

SO_COOKIE = 57
ETH_P_IPV6 = 0x86dd
COUNTERS = ("mapped_accept", "native_accept", "mapped_recv", "native_recv",
            "mapped_connect", "mapped_send", "reject_v6only", "reject_addr",
            "reject_v4only", "reject_connect", "reject_send", "reject_bind",
            "wire_mapped", "v4_accept", "v4_recv", "v4_connect", "v4_send",
            "native_connect")
# What TCP has in the sums alone.
SUMMED = ("v4_connect", "native_connect")
REFUSAL = {"v6only": "reject_v6only", "v6": "reject_addr",
           "v4": "reject_v4only"}
TIMEOUT = 10
MAPPED = "::ffff:127.0.0.1"
SPOOFED = "::ffff:192.0.2.66"


def cookie(sock):
    raw = sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8)
    return struct.unpack("=Q", raw)[0]


def rename(name):
    """Of this process, as ps shows it."""
    with open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write(name)


@contextlib.contextmanager
def visitor():
    """What a client does is done under a name of its own."""
    with open("/proc/self/comm", encoding="utf-8") as comm:
        name = comm.read().rstrip("\n")
    rename("visitor")
    try:
        yield
    finally:
        rename(name)


def endpoint(addr, port):
    addr = addr.removeprefix("::ffff:")
    return ("[%s]:%d" if ":" in addr else "%s:%d") % (addr, port)


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Socket:
    """A socket, and what the application knows of it."""

    def __init__(self, sock, proto, state, mode):
        v6only = sock.family == socket.AF_INET6 and state != "ESTAB"
        local = sock.getsockname()
        self.sock = sock
        self.seen = dict.fromkeys(COUNTERS, 0)
        self.shown = {
            "proto": proto,
            "state": state,
            "mode": mode,
            "local_addr": local[0],
            "local_port": local[1],
            "peer_addr": None,
            "peer_port": None,
            # bind() to an IPv6 address sets it, too.
            "v6only": bool(sock.getsockopt(socket.IPPROTO_IPV6,
                                           socket.IPV6_V6ONLY))
                      if v6only else None,
            "cookie": cookie(sock),
            "uid": os.getuid(),
            "inode": os.fstat(sock.fileno()).st_ino,
            "shadowed": False,
            "last_mapped_peer": None,
            "last_rejected_peer": None,
        }
        if state == "ESTAB":
            peer = sock.getpeername()
            self.shown["peer_addr"], self.shown["peer_port"] = peer[:2]

    def show(self):
        seen = self.seen
        if self.shown["proto"] == "tcp":
            seen = {**seen, **dict.fromkeys(SUMMED)}
        return {**self.shown, **seen}


class Server(Socket):
    """A socket that clients are let at."""

    ports = set()
    # What the clients of all servers asked for
    asked = dict.fromkeys(COUNTERS, 0)
    # Of these, connections and datagrams over IPv4 to further than 127.0.0.0/8
    afar = 0

    def __init__(self, proto, mode, addr="::"):
        self.kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[proto]
        sock = self.bind(mode, addr)
        sock.settimeout(TIMEOUT)
        if proto == "tcp":
            sock.listen()
        self.port = sock.getsockname()[1]
        self.ports.add(self.port)
        super().__init__(sock, proto, "LISTEN" if proto == "tcp" else "UNCONN",
                         mode)

    def bind(self, mode, addr, port=0):
        """A socket of a port that no other server has in its family, and of UDP one that
        asks for it by its number, as servers do."""
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        sock = socket.socket(family, self.kind)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY,
                            int(mode == "v6only"))
        sock.bind((addr, port))
        number = sock.getsockname()[1]
        taken = number in self.ports
        if port or not (taken or self.kind == socket.SOCK_DGRAM):
            return sock
        sock.close()
        return self.bind(mode, addr, 0 if taken else number)

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

    def ask(self, client, addr):
        """The client connects, and sends if it is one of UDP."""
        self.asked["native_connect" if ":" in addr else "v4_connect"] += 1
        Server.afar += ":" not in addr and not addr.startswith("127.")
        with visitor():
            client.connect((addr, self.port))
            if self.kind == socket.SOCK_DGRAM:
                self.asked["v4_send"] += ":" not in addr
                client.send(b"x")

    def serve(self, addr):
        """One client that this socket answers."""
        with self.client(addr) as client:
            self.ask(client, addr)
            if self.kind == socket.SOCK_STREAM:
                conn, peer = self.sock.accept()
                conn.close()
                event = "accept"
            else:
                peer = self.sock.recvfrom(1)[1]
                event = "recv"
        self.saw(event, peer)

    def saw(self, event, peer):
        """The event of a client."""
        if self.sock.family == socket.AF_INET:
            kind = "v4_"
        elif peer[0].startswith("::ffff:"):
            kind = "mapped_"
        else:
            kind = "native_"
        self.seen[kind + event] += 1
        if kind != "native_":
            self.shown["last_mapped_peer"] = endpoint(*peer[:2])

    def refuse(self, addr):
        """One client that gets ECONNREFUSED."""
        with self.client(addr) as client:
            name = client.getsockname()
            try:
                self.ask(client, addr)
                client.recv(1)
            except ConnectionRefusedError:
                self.seen[REFUSAL[self.shown["mode"]]] += 1
                self.shown["last_rejected_peer"] = endpoint(*name[:2])

    def spoof(self):
        """One datagram over IPv6 whose source is a mapped address."""
        source = socket.inet_pton(socket.AF_INET6, SPOOFED)
        dest = socket.inet_pton(socket.AF_INET6, "::1")
        udp = struct.pack("!4H2s", 9, self.port, 10, 0, b"xx")
        pseudo = source + dest + struct.pack("!2I", len(udp),
                                             socket.IPPROTO_UDP)
        udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp)) + udp[8:]
        packet = struct.pack("!IHBB", 6 << 28, len(udp), socket.IPPROTO_UDP,
                             64) + source + dest + udp
        with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as wire:
            # A link-layer address left out is whatever lies in memory.
            wire.sendto(packet, ("lo", ETH_P_IPV6, 0, 0, bytes(6)))
        if self.sock.recvfrom(2)[1][0] == SPOOFED:
            self.seen["native_recv"] += 1
            self.seen["wire_mapped"] += 1


def connected(server):
    """A connection to an IPv4 server through a mapped address; both ends."""
    sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    sock.connect((MAPPED, server.port))
    client = Socket(sock, "tcp", "ESTAB", "mapped")
    client.seen["mapped_connect"] += 1
    client.shown["last_mapped_peer"] = endpoint(MAPPED, server.port)
    conn, peer = server.sock.accept()
    server.saw("accept", peer)
    return client, Socket(conn, "tcp", "ESTAB", "v4")


def unreachable(port):
    """A socket that no hash table of the kernel holds."""
    sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    failed = Socket(sock, "tcp", "UNCONN", None)
    try:
        sock.connect((MAPPED, port))
    except OSError as error:
        if error.errno == errno.ENETUNREACH:
            failed.seen["reject_connect"] += 1
    failed.shown["last_rejected_peer"] = endpoint(MAPPED, port)
    for key in ("local_addr", "local_port", "v6only", "uid", "inode"):
        failed.shown[key] = None
    return failed


def main():
    servers = [
        Server("tcp", "dual"), Server("udp", "dual"),
        Server("tcp", "v6only"), Server("udp", "v6only"),
        Server("tcp", "v6", "::1"), Server("udp", "v6", "::1"),
        Server("tcp", "v4", "0.0.0.0"), Server("udp", "v4", "0.0.0.0"),
        Server("udp", "dual"),
    ]
    for number, server in enumerate(servers[:8]):
        v4 = server.shown["mode"] == "v4"
        for i in range(3 + number):
            if server.shown["mode"] == "dual":
                server.serve("127.0.0.1")
            else:
                server.refuse("::1" if v4 else "127.0.0.1")
            if i % 2:
                server.serve("127.0.0.1" if v4 else "::1")

    spoofed = Server("udp", "dual")
    spoofed.spoof()
    quiet = Server("tcp", "v4", "127.0.0.1")
    client, child = connected(quiet)
    # The last server sees nobody and is to be listed all the same.
    shown = [*servers, spoofed, quiet, client, unreachable(quiet.port)]

    sums = {name: sum(s.seen[name] for s in shown) + Server.asked[name]
            for name in COUNTERS}
    sums["untracked"] = 0
    sums["tracked"] = sum(any(s.seen.values()) for s in shown)
    sums["evicted"] = 0
    print(json.dumps({"pid": os.getpid(), "sums": sums,
                      "spoofed": spoofed.port,
                      "sockets": [s.show() for s in shown],
                      "hidden": [child.show()]}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
