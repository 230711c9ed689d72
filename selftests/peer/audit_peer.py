#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Services of all kinds, with clients, and what an audit has to say of each.

Each service is a process of its own. Prints a JSON array in the terms of
`dsctl -j audit`, and keeps the services until standard input ends:

  service, pid, verdict
  findings  {finding: [count, connections]}
  cookies   of its sockets

With the argument "ready", only those that would not miss IPv4.
"""

import json
import os
import socket
import sys

from dsctl_peer import REFUSAL, Server, cookie, rename

ELSEWHERE = "192.0.2.1"     # an address of this host, not of 127.0.0.0/8


class Service:
    """What an application does, and what it saw."""

    def __init__(self, verdict):
        self.verdict = verdict
        self.findings = {verdict: [0, 0]}
        self.socks = []
        self.kept = []
        self.client = None

    def found(self, finding, count, conns=0):
        old = self.findings.get(finding, [0, 0])
        self.findings[finding] = [old[0] + count, old[1] + conns]

    def server(self, *args):
        server = Server(*args)
        self.socks.append(server.sock)
        return server


def mapped(server):
    return server.seen["mapped_accept"] + server.seen["mapped_recv"]


def dual():
    service = Service("serves-ipv4")
    for proto, clients in ("tcp", 5), ("udp", 4):
        server = service.server(proto, "dual")
        for _ in range(clients):
            server.serve(ELSEWHERE)
        server.serve("::1")
        service.found("serves-ipv4", mapped(server))
    return service


def refusing(mode, addr, client, finding, verdict):
    """A server that serves one family, and refuses three of the other."""
    service = Service(verdict)
    server = service.server("tcp", mode, addr)
    for _ in range(3):
        server.refuse(client)
    server.serve("127.0.0.1" if mode == "v4" else "::1")
    service.found(finding, server.seen[REFUSAL[mode]])
    if mode == "v4":
        service.found("local-ipv4", server.seen["v4_accept"])
    return service


def v6only():
    return refusing("v6only", "::", "127.0.0.1", "refuses-ipv4",
                    "refuses-ipv4")


def one_address():
    return refusing("v6", "::1", "127.0.0.1", "refuses-ipv4", "refuses-ipv4")


def v4only():
    return refusing("v4", "0.0.0.0", "::1", "refuses-ipv6", "ipv4-only")


def sibling(service, server):
    """A V6ONLY socket at the port of an AF_INET one."""
    sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind(("::", server.port))
    sock.listen()
    service.socks.append(sock)


def sockets_of_both(verdict):
    """A service with an AF_INET socket and a V6ONLY one, and the former."""
    service = Service(verdict)
    server = service.server("tcp", "v4", "0.0.0.0")
    sibling(service, server)
    return service, server


def pair():
    """A client was of this host, though not the last one."""
    service, server = sockets_of_both("serves-ipv4")
    server.serve(ELSEWHERE)
    server.serve("127.0.0.1")
    service.found("serves-ipv4", server.seen["v4_accept"] - 1)
    return service


def health():
    """All clients over IPv4 were of this host."""
    service, server = sockets_of_both("local-ipv4")
    for _ in range(4):
        server.serve("127.0.0.1")
    service.found("local-ipv4", server.seen["v4_accept"])
    return service


def sshd():
    """The same with clients that are not of this host."""
    service, server = sockets_of_both("serves-ipv4")
    for _ in range(3):
        server.serve(ELSEWHERE)
    service.found("serves-ipv4", server.seen["v4_accept"])
    return service


def busy_pair():
    """Its client is connected, and has a name of its own."""
    service, server = sockets_of_both("serves-ipv4")
    service.client = os.fork()
    if not service.client:
        for sock in service.socks:
            sock.close()
        rename("client")
        client = socket.create_connection((ELSEWHERE, server.port))
        client.recv(1)
        os._exit(0)
    service.kept.append(server.sock.accept()[0])
    service.found("serves-ipv4", 1, 1)
    return service


def local():
    service = Service("local-ipv4")
    service.server("tcp", "v4", "127.0.0.1").serve("127.0.0.1")
    service.found("local-ipv4", 1)
    return service


def unused():
    service = Service("unused-ipv4")
    server = service.server("udp", "dual")
    server.serve("::1")
    return service


def spoofed():
    service = Service("spoofed")
    server = service.server("udp", "dual")
    server.spoof()
    service.found("spoofed", server.seen["wire_mapped"])
    service.found("unused-ipv4", 0)
    return service


def shared(family, addr, port):
    """A socket of a port that no server has, which others can have, too."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind((addr, port))
    if sock.getsockname()[1] not in Server.ports:
        return sock
    with sock:
        return shared(family, addr, port)


def shadowed():
    service = Service("shadowed")
    dual_sock = shared(socket.AF_INET6, "::", 0)
    port = dual_sock.getsockname()[1]
    service.socks += [dual_sock, shared(socket.AF_INET, "0.0.0.0", port)]
    for sock in service.socks:
        sock.listen()
    return service


def outbound():
    """Sends to a mapped address, where nobody ever answers."""
    service = Service("uses-ipv4")
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.connect(("::ffff:" + ELSEWHERE, 9))
    sock.send(b"x")
    service.socks.append(sock)
    service.found("uses-ipv4", 1, 1)
    return service


def closing():
    """A server that is gone, of whose clients two were of this host."""
    server = Server("tcp", "dual")
    for addr in ELSEWHERE, "127.0.0.1", "127.0.0.1":
        server.serve(addr)
    server.sock.close()
    return {"serves-ipv4": [mapped(server) - 2, 0]}


READY = {"health": health, "local": local, "v6only": v6only,
         "one-address": one_address, "unused": unused, "spoofed": spoofed,
         "shadowed": shadowed}
BLOCKING = {"dual": dual, "pair": pair, "sshd": sshd, "v4only": v4only,
            "busy-pair": busy_pair, "outbound": outbound}


def start(name, make):
    """A process with a service, and perhaps a client; what they are."""
    out, child_out = os.pipe()
    if not os.fork():
        rename(name)
        Server.afar = 0
        service = make()
        said = {"service": name, "pid": os.getpid(),
                "verdict": service.verdict, "findings": service.findings,
                "cookies": [cookie(s) for s in service.socks]}
        ports = [s.getsockname()[1] for s in service.socks]
        os.write(child_out, json.dumps([said, service.client, ports,
                                        Server.afar]).encode())
        os.close(child_out)
        sys.stdin.read()
        os._exit(0)
    # More than a pipe takes at once it never is.
    said, client, ports, afar = json.loads(os.read(out, 4096))
    os.close(out)
    os.close(child_out)
    Server.ports.update(ports)
    Server.afar += afar
    yield said
    if client:
        yield {"service": "client", "pid": client, "verdict": "uses-ipv4",
               "findings": {"uses-ipv4": [1, 1]}}


def main():
    services = dict(READY)
    said = []
    gone = {}
    if sys.argv[1:] != ["ready"]:
        services.update(BLOCKING)
        gone = closing()
    for name, make in services.items():
        said += start(name, make)
    if gone:
        said.append({"service": "closed or reset", "pid": None,
                     "verdict": next(iter(gone)), "findings": gone,
                     "cookies": []})
    # All clients are gone, and have left their name.
    if Server.afar:
        said.append({"service": "visitor", "pid": None, "verdict": "uses-ipv4",
                     "findings": {"uses-ipv4": [Server.afar, 0]},
                     "cookies": []})
    print(json.dumps(said), flush=True)
    sys.stdin.read()


main()
