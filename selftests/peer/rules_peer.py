#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Bind sockets as a script asks for, and say what became of IPV6_V6ONLY.

Each line of standard input is a command, answered by a line of words:

  bind NAME PROTO MODE PORT    bind a socket, of TCP and MPTCP to listen: IPV6_V6ONLY,
                               "-" of IPv4 and of MPTCP; or the name of the error. MODE
                               is dual, v6only, which it sets before, v4, or an IPv6
                               address
  v6only NAME                  the same as its owner sees it now
  cookie NAME                  its cookie
  client NAME ADDRESS          whether a client is "served" or "refused"; "timeout" where
                               that does not come out
  close NAME                   close it
"""

import errno
import select
import socket
import struct
import sys

SO_COOKIE = 57
TIMEOUT = 60
IPPROTO_MPTCP = 262
KINDS = {"tcp": (socket.SOCK_STREAM,), "udp": (socket.SOCK_DGRAM,),
         "mptcp": (socket.SOCK_STREAM, IPPROTO_MPTCP)}

socks = {}


def is_v6only(sock):
    # Older kernels do not tell it of MPTCP.
    if sock.family == socket.AF_INET or sock.proto == IPPROTO_MPTCP:
        return "-"
    return sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)


def bind(name, proto, mode, port):
    family = socket.AF_INET if mode == "v4" else socket.AF_INET6
    sock = socket.socket(family, *KINDS[proto])
    sock.settimeout(TIMEOUT)
    addr = mode if ":" in mode else ""
    if mode in ("dual", "v6only"):
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY,
                        int(mode == "v6only"))
    try:
        sock.bind((addr, int(port)))
        if proto != "udp":
            sock.listen()
    except OSError as error:
        sock.close()
        return errno.errorcode[error.errno]
    socks[name] = sock
    return is_v6only(sock)


def v6only(name):
    return is_v6only(socks[name])


def cookie(name):
    raw = socks[name].getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8)
    return struct.unpack("=Q", raw)[0]


def serve_stream(server, sock):
    """Accept the client, and see it off: what is left of it would hold the port."""
    with server.accept()[0] as accepted:
        accepted.settimeout(TIMEOUT)
        sock.close()
        try:
            while accepted.recv(1):
                pass
        except ConnectionResetError:
            pass


def serve_datagram(server, sock):
    sock.send(b"x")
    # A refusal makes the client's end readable.
    if sock in select.select([server, sock], [], [], TIMEOUT)[0]:
        sock.recv(1)
    server.recv(1)


def client(name, addr):
    server = socks[name]
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    with socket.socket(family, server.type) as sock:
        sock.settimeout(TIMEOUT)
        # Nothing is to be left of a connection: another socket takes the port.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        try:
            sock.connect((addr, server.getsockname()[1]))
            if server.type == socket.SOCK_STREAM:
                serve_stream(server, sock)
            else:
                serve_datagram(server, sock)
        except ConnectionRefusedError:
            return "refused"
        except TimeoutError:
            return "timeout"
    return "served"


def close(name):
    socks.pop(name).close()
    return "closed"


COMMANDS = {"bind": bind, "v6only": v6only, "cookie": cookie,
            "client": client, "close": close}


def main():
    for line in sys.stdin:
        command, *args = line.split()
        print(COMMANDS[command](*args), flush=True)


main()
