#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Open sockets and do with them what a script asks for.

Prints one JSON object with what each socket is called: proto, port, cookie.
Then each line of standard input is a command, answered by a line of words:

  clients NAME ADDRESS COUNT   so many clients: how many were served, refused
  v6only NAME                  IPV6_V6ONLY of a socket, as its owner sees it
  default                      IPV6_V6ONLY of a new socket
  connect NAME                 connect() to it through a mapped address: cookie
  flood NAME COUNT             so many datagrams over IPv4: how many arrived
  open NAME PROTO MODE         open another socket
  close NAME                   close it
  busy NAME ADDRESS            sleep in a call with this UDP socket locked until
                               a neighbour that does not answer does
"""

import json
import select
import socket
import struct
import sys
import threading

SO_COOKIE = 57
TIMEOUT = 20
KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}

servers = {}


def cookie(sock):
    raw = sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8)
    return struct.unpack("=Q", raw)[0]


def is_v6only(sock):
    return sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)


def family_of(addr):
    return socket.AF_INET6 if ":" in addr else socket.AF_INET


class Server:
    """A socket that clients are let at; several can share a port."""

    def __init__(self, name, proto, mode, addr="::", port=0):
        self.proto = proto
        self.sock = self.bind(mode, addr, port)
        self.port = self.sock.getsockname()[1]
        if proto == "tcp":
            self.sock.listen()
        servers[name] = self

    def bind(self, mode, addr, port):
        """A socket of a port that no other has, unless one is given."""
        sock = socket.socket(family_of(addr), KINDS[self.proto])
        sock.settimeout(TIMEOUT)
        if mode == "group":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if ":" in addr:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY,
                            int(mode == "v6only"))
        sock.bind((addr, port))
        if port or not self.siblings(sock.getsockname()[1]):
            return sock
        with sock:
            return self.bind(mode, addr, port)

    def siblings(self, port):
        return [s.sock for s in servers.values()
                if s.port == port and s.proto == self.proto]

    def shown(self):
        return {"proto": self.proto, "port": self.port,
                "cookie": cookie(self.sock)}

    def client(self, addr):
        """Whether a client is served, by this socket or another of its port."""
        with socket.socket(family_of(addr), KINDS[self.proto]) as client:
            client.settimeout(TIMEOUT)
            watched = self.siblings(self.port)
            try:
                client.connect((addr, self.port))
                if self.proto == "udp":
                    client.send(b"x")
                    watched.append(client)      # a refusal makes it readable
                ready = select.select(watched, [], [], TIMEOUT)[0][0]
                if self.proto == "tcp":
                    ready.accept()[0].close()
                else:
                    ready.recv(1)
            except ConnectionRefusedError:
                return False
        return True


def clients(name, addr, count):
    served = sum(servers[name].client(addr) for _ in range(int(count)))
    return served, int(count) - served


def v6only(name):
    return (is_v6only(servers[name].sock),)


def default():
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
        return (is_v6only(sock),)


def connect(name):
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
        sock.connect(("::ffff:127.0.0.1", servers[name].port))
        servers[name].sock.accept()[0].close()
        return (cookie(sock),)


def flood(name, count):
    """By a raw socket, to which sending is no event."""
    server = servers[name]
    datagram = struct.pack("!4H", 9, server.port, 9, 0) + b"x"
    arrived = 0
    with socket.socket(socket.AF_INET, socket.SOCK_RAW,
                       socket.IPPROTO_UDP) as client:
        for _ in range(int(count)):
            client.sendto(datagram, ("127.0.0.1", 0))
            arrived += len(server.sock.recv(1))
    return (arrived,)


def open_server(name, proto, mode):
    return (Server(name, proto, mode).port,)


def close_server(name):
    servers.pop(name).sock.close()
    return ("closed",)


def sleep_in_send(sock, addr):
    """What waits for the neighbour fills the buffer, and sendmsg() waits for that."""
    sock.settimeout(None)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    sock.sendto(bytes(4000), addr)
    sock.sendto(b"x", socket.MSG_MORE, addr)


def busy(name, addr):
    sleeper = threading.Thread(target=sleep_in_send, daemon=True,
                               args=(servers[name].sock, (addr, 9)))
    sleeper.start()
    return ("busy",)


COMMANDS = {"clients": clients, "v6only": v6only, "default": default,
            "connect": connect, "flood": flood, "open": open_server,
            "close": close_server, "busy": busy}


def main():
    for proto in KINDS:
        Server(proto + "_dual", proto, "dual")
        Server(proto + "_v6only", proto, "v6only")
        Server(proto + "_v6", proto, "v6", "::1")
        Server(proto + "_v4", proto, "v4", "0.0.0.0")
        # Two sockets on one port, the way of sshd
        pair = Server(proto + "_pair6", proto, "v6only")
        Server(proto + "_pair4", proto, "v4", "0.0.0.0", pair.port)
        first = Server(proto + "_group0", proto, "group")
        Server(proto + "_group1", proto, "group", "::", first.port)
    Server("probe", "tcp", "v6only")

    print(json.dumps({n: s.shown() for n, s in servers.items()}), flush=True)
    for line in sys.stdin:
        command, *args = line.split()
        print(*COMMANDS[command](*args), flush=True)


main()
