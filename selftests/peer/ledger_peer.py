#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Serve clients, be one, and keep a ledger of what was seen of it.

  ledger_peer.py NETNS

Clients have addresses in the network namespace NETNS, at the other end of a device
of this one. Each line of standard input is a command, answered by a line:

  traffic               something of everything
  crowd PORT COUNT      a datagram each from so many addresses to the server of UDP
  sockets               connect() of UDP that sends nothing, to any address
  close PORT            close the servers of a port
  open PORT             open them again
  forget                begin the ledger anew
  ledger                an array in the terms of `dsctl -j show peers`, in no order
"""

import collections
import ctypes
import errno
import ipaddress
import json
import os
import socket
import sys

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
PROTOS = {TCP: "tcp", UDP: "udp"}
CLONE_NEWNET = 0x40000000
TIMEOUT = 60
NAME = b"the server"
NOBODY = 65534

HOST4, HOST6 = "192.0.2.1", "2001:db8::1"
AWAY = "192.0.2.2"
CROWD = "198.18.0.0"
# Servers here, by what they do with clients of IPv4 and of IPv6
DUAL, V4, V6ONLY = 80, 8002, 8003
SERVERS = {DUAL: ("::", 0), V4: ("0.0.0.0", 0), V6ONLY: ("::", 1)}
# A server of each protocol on the other side
FAR = 9001

libc = ctypes.CDLL(None, use_errno=True)
seen = collections.Counter()
servers = {}
far = {}


class Away:
    """Within it, what is made belongs to the other namespace."""

    def __init__(self, name):
        self.there = os.open("/run/netns/" + name, os.O_RDONLY)
        self.here = os.open("/proc/self/ns/net", os.O_RDONLY)

    @staticmethod
    def enter(fd):
        if libc.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    def __enter__(self):
        self.enter(self.there)

    def __exit__(self, *args):
        self.enter(self.here)


def family_of(addr):
    return socket.AF_INET6 if ":" in addr else socket.AF_INET


def make(kind, addr, port=0, v6only=0):
    sock = socket.socket(family_of(addr), kind)
    sock.settimeout(TIMEOUT)
    if ":" in addr:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    # Connections that it had may be in TIME-WAIT.
    if kind == TCP and port:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((addr, port))
    return sock


def serve(kind, addr, port, v6only=0):
    sock = make(kind, addr, port, v6only)
    if kind == TCP:
        sock.listen(128)
    return sock


def open_port(port):
    addr, v6only = SERVERS[int(port)]
    for kind in TCP, UDP:
        servers[kind, int(port)] = serve(kind, addr, int(port), v6only)


def close_port(port):
    for kind in TCP, UDP:
        servers.pop((kind, int(port))).close()


def client(kind, addr):
    with away:
        return make(kind, addr)


def set_name(name):
    with open("/proc/self/comm", "wb") as comm:
        comm.write(name)


def note(direction, kind, port, addr, task=(None, None)):
    seen[direction, PROTOS[kind], port, addr.removeprefix("::ffff:"), *task] += 1


def take(kind, sock):
    """A client, at a server: its address."""
    if kind == UDP:
        return sock.recvfrom(1)[1][0]
    conn, peer = sock.accept()
    conn.close()
    return peer[0]


def served(kind, port, addr, count):
    """Clients that a server takes."""
    to = HOST6 if ":" in addr else HOST4
    for _ in range(count):
        with client(kind, addr) as sock:
            sock.connect((to, port))
            if kind == UDP:
                sock.send(b"x")
            peer = take(kind, servers[kind, port])
        if peer.startswith("::ffff:") or ":" not in peer:
            note("in", kind, port, peer)


def refused(kind, port, addr, count):
    """Clients that are told so."""
    to = HOST6 if ":" in addr else HOST4
    for _ in range(count):
        with client(kind, addr) as sock:
            try:
                sock.connect((to, port))
                sock.send(b"x")
                sock.recv(1)
            except ConnectionRefusedError:
                note("refused", kind, port, addr)


def goes_out(kind, family, name, uid, count):
    """A process of some name and user, and what a server elsewhere has of it."""
    addr = AWAY if family == socket.AF_INET else "::ffff:" + AWAY
    child = os.fork()
    if not child:
        set_name(name)
        os.setuid(uid)
        with socket.socket(family, kind) as sock:
            for _ in range(count if kind == UDP else 0):
                sock.sendto(b"x", (addr, FAR))
        for _ in range(count if kind == TCP else 0):
            with socket.socket(family, kind) as sock:
                sock.connect((addr, FAR))
        os._exit(0)
    os.waitpid(child, 0)
    for _ in range(count):
        if take(kind, far[kind]) == HOST4:
            note("out", kind, FAR, AWAY, (name, uid))


def forbidden(kind, name, count):
    """What IPV6_V6ONLY refuses this process."""
    set_name(name)
    for _ in range(count):
        with socket.socket(socket.AF_INET6, kind) as sock:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                if kind == UDP:
                    sock.sendto(b"x", ("::ffff:" + AWAY, FAR))
                else:
                    sock.connect(("::ffff:" + AWAY, FAR))
            except OSError as error:
                if error.errno == errno.ENETUNREACH:
                    note("refused-out", kind, FAR, AWAY, (name, os.getuid()))
    set_name(NAME)


def answers():
    """What a client here receives, and a server here sends."""
    with socket.socket(socket.AF_INET, UDP) as sock:
        sock.sendto(b"x", (AWAY, FAR))
        peer = far[UDP].recvfrom(1)[1]
        note("out", UDP, FAR, AWAY, (NAME, os.getuid()))
        far[UDP].sendto(b"x", peer)
        sock.recv(1)
    with client(UDP, "192.0.2.4") as sock:
        sock.sendto(b"x", (HOST4, DUAL))
        server = servers[UDP, DUAL]
        peer = server.recvfrom(1)[1]
        note("in", UDP, DUAL, peer[0])
        server.sendto(b"x", peer)
        sock.recv(1)


def traffic():
    for kind in TCP, UDP:
        served(kind, DUAL, "192.0.2.2", 3)
        served(kind, DUAL, "192.0.2.3", 2)
        served(kind, DUAL, "198.51.100.7", 5)
        served(kind, DUAL, "2001:db8::2", 4)
        served(kind, V4, "192.0.2.2", 2)
        served(kind, V4, "198.51.100.8", 7)
        refused(kind, V6ONLY, "192.0.2.2", 3)
        refused(kind, V6ONLY, "198.51.100.7", 1)
        refused(kind, V4, "2001:db8::2", 2)
        refused(kind, V4, "2001:db8:1::2", 1)
        goes_out(kind, socket.AF_INET, b"fetcher", NOBODY, 6)
        goes_out(kind, socket.AF_INET6, b"fetcher", 0, 4)
        goes_out(kind, socket.AF_INET, "größe-日本".encode(), 0, 1)
        goes_out(kind, socket.AF_INET, b"\x1b[7m\xff\\x41", 0, 2)
        goes_out(kind, socket.AF_INET, b"fifteen bytes l", 0, 3)
        forbidden(kind, b"forbidden", 2)
    answers()


def crowd(port, count):
    first = int(ipaddress.ip_address(CROWD))
    for i in range(1, int(count) + 1):
        served(UDP, int(port), str(ipaddress.ip_address(first + i)), 1)


def sockets():
    """As getaddrinfo() of glibc sorts addresses."""
    with socket.socket(socket.AF_INET, UDP) as sock:
        sock.connect((AWAY, FAR))
    with socket.socket(socket.AF_INET6, UDP) as sock:
        sock.connect(("::ffff:" + AWAY, FAR))


def ledger():
    entries = []
    for (direction, proto, port, addr, name, uid), count in seen.items():
        out = name is not None
        entries.append({
            "direction": direction,
            "proto": proto,
            "local_port": None if out else port,
            "peer_addr": addr,
            "peer_port": port if out else None,
            # As JSON has what is no UTF-8
            "comm": name.decode(errors="backslashreplace") if out else None,
            "uid": uid,
            "count": count,
        })
    return json.dumps(entries)


away = Away(sys.argv[1])
CALLS = {"traffic": traffic, "crowd": crowd, "sockets": sockets,
         "close": close_port, "open": open_port, "forget": seen.clear, "ledger": ledger}


def main():
    set_name(NAME)
    for port in SERVERS:
        open_port(port)
    for kind in TCP, UDP:
        with away:
            far[kind] = serve(kind, "0.0.0.0", FAR)
    print(flush=True)
    for line in sys.stdin:
        name, *words = line.split()
        print(CALLS[name](*words) or "", flush=True)


if __name__ == "__main__":
    main()
