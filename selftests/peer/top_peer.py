#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What dsctl reports again and again, against what was sent meanwhile.

  top_peer.py SCENARIO    one of the functions below that have no argument

JSON that it takes for a report is appended to the file KEPT, as lib/schema.sh keeps it.

Each starts dsctl, which DSCTL names, waits for what it reports, sends datagrams, and
adds up what it reports then; or it has dsctl on a terminal, and looks at that. It fails
with what was wrong.
"""

import codecs
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time

DSCTL = os.environ["DSCTL"]
KEPT = os.environ.get("KEPT", os.devnull)
LIMIT = 60
INTERVAL = "0.1"
PORT = 7301
MANY = 30   # sockets, more than fit on a screen
ENTER = "\x1b[?1049h"
LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"
CLEAR = "\x1b[H\x1b[J"
COUNTERS = ("mapped_recv", "native_recv")


def need(condition, *what):
    """It holds, or the test has failed."""
    if not condition:
        sys.exit(" ".join(str(part) for part in what))


class Server:
    """A dual UDP socket, and what it received."""

    def __init__(self, port=PORT):
        self.port = port
        self.seen = {"mapped_recv": 0, "native_recv": 0}
        self.sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.sock.settimeout(LIMIT)
        self.sock.bind(("::", port))

    def serve(self, number, addr="127.0.0.1"):
        """So many datagrams, each of which is received."""
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as client:
            for _ in range(number):
                client.sendto(b"x", (addr, self.port))
                peer = self.sock.recvfrom(1)[1]
                mapped = peer[0].startswith("::ffff:")
                self.seen["mapped_recv" if mapped else "native_recv"] += 1


def elsewhere(netns):
    """A server in another network namespace, that serves as often as a line says."""
    return subprocess.Popen(["ip", "netns", "exec", netns, sys.executable, __file__,
                             "serve"], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)


def serve():
    """What elsewhere() starts."""
    server = Server()
    print("ready", flush=True)
    for line in sys.stdin:
        server.serve(int(line))
        print("served", flush=True)


def rest(pipe):
    """What comes until its end."""
    text = b""
    while True:
        need(select.select([pipe], [], [], LIMIT)[0], "no end for", LIMIT, "s")
        read = os.read(pipe.fileno(), 65536)
        if not read:
            return text
        text += read


@contextlib.contextmanager
def reports(*args):
    """Runs dsctl; its lines, as they come. It ends by SIGTERM, and as if all were done:
    behind the end of a line, if that is JSON."""
    text = b""
    with subprocess.Popen([DSCTL, *args], stdout=subprocess.PIPE, bufsize=0,
                          stdin=subprocess.DEVNULL) as dsctl:
        def lines():
            nonlocal text
            while True:
                ready = select.select([dsctl.stdout], [], [], LIMIT)[0]
                need(ready, "no report for", LIMIT, "s")
                read = os.read(dsctl.stdout.fileno(), 65536)
                need(read, "it ended")
                *whole, text = (text + read).split(b"\n")
                for line in whole:
                    if "-j" in args:
                        keep(line, *args)
                    yield line.decode() + "\n"
        try:
            yield lines()
        finally:
            dsctl.terminate()
            try:
                text += rest(dsctl.stdout)
                status = dsctl.wait(LIMIT)
            except BaseException:
                dsctl.kill()
                raise
        need(status == 0, "exit code", status)
        need("-j" not in args or text[-1:] in (b"", b"\n"), "cut:", text)


def keep(line, *args):
    with open(KEPT, "ab") as kept:
        kept.write(b"# %s\n%s\n" % (" ".join(args).encode(), line))


def deadline():
    """True for as long as something may take."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        yield True
    need(False, "not in", LIMIT, "s")


def ask(*args):
    """What dsctl says once, as JSON."""
    return json.loads(subprocess.run([DSCTL, "-j", *args], check=True,
                                     stdout=subprocess.PIPE).stdout)


def add_up(lines, pick, sums, wanted):
    """Take reports until the sums are as they should be; they never are more."""
    for _ in deadline():
        if sums == wanted:
            return
        for key, value in pick(json.loads(next(lines))).items():
            need(value >= 0, key, "is", value)
            sums[key] = sums.get(key, 0) + value
        need(all(sums[key] <= wanted.get(key, 0) for key in sums),
             "reported", sums, "seen", wanted)


def follow(pick, server, *args):
    """Rounds of datagrams, each after the report of the one before was read: what is
    reported from the first on adds up to what there was, at each round."""
    server.serve(5)
    with reports("-j", *args, "interval", INTERVAL) as lines:
        sums = {}
        add_up(lines, pick, sums, wanted := dict(server.seen))
        need(wanted["mapped_recv"] >= 5, "nothing was received")
        for number in (1, 7, 100):
            server.serve(number)
            server.serve(2 * number, "::1")
            add_up(lines, pick, sums, dict(server.seen))
        # Reports without news
        for _ in range(3):
            for value in pick(json.loads(next(lines))).values():
                need(value == 0, "reported", value, "too many")


def of_port(report):
    """The counters of the server."""
    found = [sock for sock in report if sock["local_port"] == PORT]
    need(len(found) == 1, "listed", len(found), "times")
    return {name: found[0][name] for name in COUNTERS}


def sockets():
    """show sockets interval"""
    server = Server()
    follow(of_port, server, "show", "sockets")
    need(of_port(ask("show", "sockets")) == server.seen, "they count on")


def sockets_of_port():
    """The same where few records are asked for one by one"""
    follow(of_port, Server(), "show", "sockets", "port", str(PORT))


def stats():
    """show stats interval: what other sockets had is in the sums, and in the first report."""
    before = ask("show", "stats", "proto", "udp")

    def pick(report):
        nonlocal before
        news = {name: report[name] - (before[name] if before else 0)
                for name in COUNTERS}
        before = None
        return news
    follow(pick, Server(), "show", "stats", "proto", "udp")


def peers():
    """show peers interval: of IPv4 clients alone"""
    server = Server()

    def pick(report):
        need(all(line["local_port"] == PORT for line in report), "another port")
        return {"mapped_recv": sum(line["count"] for line in report
                                   if line["peer_addr"] == "127.0.0.1")}
    subprocess.run([DSCTL, "reset", "peers"], check=True)
    server.serve(4)
    with reports("-j", "show", "peers", "in", "port", str(PORT), "interval",
                 INTERVAL) as lines:
        sums = {}
        for number in (0, 1, 9):
            server.serve(number)
            add_up(lines, pick, sums, {"mapped_recv": server.seen["mapped_recv"]})


def reset():
    """A counter that was reset has what it counted since."""
    server = Server()
    server.serve(50)
    with reports("-j", "show", "sockets", "interval", INTERVAL) as lines:
        sums = {}
        add_up(lines, of_port, sums, dict(server.seen))
        subprocess.run([DSCTL, "reset", "proto", "udp", "port", str(PORT)], check=True)
        server.serve(7)
        add_up(lines, of_port, sums, dict(server.seen))


def every_netns():
    """-N: the same port, in two namespaces"""
    netns = sys.argv[2]
    server, other = Server(), elsewhere(netns)
    need(other.stdout.readline() == "ready\n", "no server in", netns)

    def pick(report):
        return {sock["netns"] or "own": sock["mapped_recv"] for sock in report
                if sock["netns"] in (None, netns)}
    with reports("-N", "-j", "show", "sockets", "port", str(PORT), "interval",
                 INTERVAL) as lines:
        sums, wanted = {}, {}
        for own, others in ((3, 0), (0, 4), (50, 60)):
            server.serve(own)
            print(others, file=other.stdin, flush=True)
            need(other.stdout.readline() == "served\n", "nothing was served")
            wanted["own"] = wanted.get("own", 0) + own
            wanted[netns] = wanted.get(netns, 0) + others
            add_up(lines, pick, sums, wanted)
    other.stdin.close()
    other.wait()


def text():
    """Blocks for people: a time, and but for the first what is new alone"""
    server, _idle = Server(), Server(PORT + 1)
    server.serve(3)
    with reports("-H", "-o", "local,ipv4", "show", "sockets", "proto", "udp",
                 "interval", INTERVAL) as lines:
        blocks = total = told = 0
        for _ in deadline():
            line = next(lines)
            if re.fullmatch(r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\]\n", line):
                blocks += 1
                if total == 3 and server.seen["mapped_recv"] == 3:
                    server.serve(20)
                if total == 23 and blocks > 2:
                    break
            elif line == "\n":
                need(blocks, "a blank line comes first")
            elif line.startswith(f"[::]:{PORT} "):
                total += int(line.split()[1])
            elif line.startswith(f"[::]:{PORT + 1} "):
                told += 1
        need(told == 1, "the idle one was told", told, "times")
        need(total == server.seen["mapped_recv"], "told", total)


def check_top(report, first):
    """An object of top in itself"""
    need(set(report) == {"timestamp", "interval", "sockets"}, "keys", set(report))
    need((report["interval"] is None) == first, "interval", report["interval"])
    contract = set(ask("show", "sockets", "port", str(PORT))[0])
    sums = []
    for sock in report["sockets"]:
        need(set(sock) == contract | {"added", "rate"}, "keys", set(sock) ^ contract)
        added = sum(value or 0 for value in sock["added"].values())
        sums.append(added)
        if first:
            need(sock["rate"] is None, "a rate at first")
            continue
        need(abs(sock["rate"] * report["interval"] - added) < 1e-6 * (1 + added),
             sock["rate"], "for", added, "in", report["interval"], "s")
    need(sums == sorted(sums, reverse=True), "not the busiest first:", sums)


def top_sockets():
    """top -j: totals as in show sockets, and what was added"""
    server, _idle = Server(), Server(PORT + 1)
    server.serve(5)
    totals = {}
    first = True

    def pick(report):
        nonlocal first, totals
        check_top(report, first)
        first = False
        totals = of_port(report["sockets"])
        return of_port([dict(sock["added"], local_port=sock["local_port"])
                        for sock in report["sockets"]])
    with reports("-j", "top", "sockets", "interval", INTERVAL) as lines:
        sums = {}
        for number in (0, 1, 30):
            server.serve(number)
            server.serve(number, "::1")
            add_up(lines, pick, sums, dict(server.seen))
            need(totals == server.seen, "totals", totals, "seen", server.seen)


def top_peers():
    """top peers -j"""
    server = Server()
    subprocess.run([DSCTL, "reset", "peers"], check=True)
    server.serve(5)

    def pick(report):
        need(set(report) == {"timestamp", "interval", "peers"}, "keys", set(report))
        for line in report["peers"]:
            rate = line["rate"]
            need((rate is None) == (report["interval"] is None), "rate", rate)
            need(rate is None or abs(rate * report["interval"] - line["added"]) < 1e-3,
                 "rate", rate)
        return {"mapped_recv": sum(line["added"] for line in report["peers"])}
    with reports("-j", "top", "peers", "in", "port", str(PORT), "by", "port",
                 "interval", INTERVAL) as lines:
        sums = {}
        for number in (0, 1, 30):
            server.serve(number)
            add_up(lines, pick, sums, {"mapped_recv": server.seen["mapped_recv"]})


@contextlib.contextmanager
def stuck(*args):
    """Runs dsctl, which is in the middle of its first report: that is more than its pipe
    takes. It ends as if all were done."""
    with subprocess.Popen([DSCTL, *args], stdout=subprocess.PIPE, bufsize=0,
                          stdin=subprocess.DEVNULL, pipesize=4096) as dsctl:
        try:
            need(select.select([dsctl.stdout], [], [], LIMIT)[0], "no report")
            yield dsctl
            need(dsctl.wait(LIMIT) == 0, "exit code", dsctl.returncode)
        finally:
            dsctl.kill()


def handles(process, number):
    """A signal is sent, and its handler has begun."""
    process.send_signal(number)
    for _ in deadline():
        with open("/proc/%d/status" % process.pid, encoding="ascii") as status:
            pending = re.findall(r"^(?:Sig|Shd)Pnd:\t(\w+)$", status.read(), re.MULTILINE)
        if not any(int(mask, 16) & 1 << number - 1 for mask in pending):
            break


def whole():
    """JSON that was begun is finished, and no other report begins; one signal more does
    not wait for that."""
    _servers = [Server(PORT + i) for i in range(MANY)]
    for number in (signal.SIGTERM, signal.SIGINT):
        for args in (("show", "sockets"), ("-p", "show", "sockets"), ("-N", "show", "sockets"),
                     ("top",)):
            args = ("-j", *args, "interval", INTERVAL)
            with stuck(*args) as dsctl:
                handles(dsctl, number)
                text = rest(dsctl.stdout)
            need(len(text) > 3 * 4096 and text[-1:] == b"\n", args, "printed", text)
            json.loads(text)
        with stuck("-j", "show", "sockets", "interval", INTERVAL) as dsctl:
            handles(dsctl, number)
            dsctl.send_signal(number)


class Terminal:
    """dsctl on a terminal of its own, and what it draws there."""

    def __init__(self, *args, rows=24, cols=80, by=()):
        self.master, self.slave = pty.openpty()
        self.resize(rows, cols)
        self.before = termios.tcgetattr(self.slave)
        self.output = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        env = {name: value for name, value in os.environ.items()
               if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.dsctl = subprocess.Popen([*by, DSCTL, *args], stdin=self.slave,
                                      stdout=self.slave, stderr=self.slave,
                                      env={**env, "TERM": "xterm"},
                                      preexec_fn=self.control)

    def control(self):
        """In dsctl's process: keys send signals to it."""
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def resize(self, rows, cols):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("4H", rows, cols, 0, 0))

    def read(self):
        if select.select([self.master], [], [], 0.1)[0]:
            self.output += self.decoder.decode(os.read(self.master, 65536))

    def press(self, keys):
        os.write(self.master, keys)

    def until(self, condition, what):
        """Read until what it returns is true, and return that."""
        for _ in deadline():
            found = condition()
            if found:
                return found
            self.read()
            need(self.dsctl.poll() is None, "waiting for", what, "it ended:",
                 repr(self.output[-2000:]))
        return None

    def screen(self, number, fits=bool):
        """The lines of a screen, the first is 0, once they fit; or once there are any."""
        def look():
            drawn = self.output.split(CLEAR)[1:]
            if len(drawn) <= number:
                return None
            lines = drawn[number].split("\x1b")[0].split("\r\n")[:-1]
            return lines if fits(lines) else None
        return self.until(look, "screen %d" % number)

    def whole_screen(self, number):
        """The same, once another one was drawn."""
        self.screen(number + 1)
        return self.screen(number)

    def is_as_before(self):
        """Its settings, and that the screen was left for the last time."""
        need(termios.tcgetattr(self.slave) == self.before, "settings are others")
        need(self.output.count(ENTER) == self.output.count(LEAVE) and
             self.output.rfind(LEAVE) > self.output.rfind(ENTER) and
             "\x1b" not in self.output.rsplit(LEAVE, 1)[1], "codes:",
             repr(self.output[-2000:]))

    def end(self, status=0):
        """It ends by itself now, with this exit code."""
        for _ in deadline():
            self.read()
            if self.dsctl.poll() is not None:
                break
        while select.select([self.master], [], [], 0)[0]:
            self.read()
        need(self.dsctl.returncode == status, "exit code", self.dsctl.returncode)
        need(ENTER in self.output, "no screen was drawn:", repr(self.output))
        self.is_as_before()


def shown(screen):
    """Rates by port, "-" for none."""
    found = {}
    for line in screen:
        match = re.match(r" *(\S+) +udp .*? \[::\]:(\d+) ", line)
        if match:
            found[int(match.group(2))] = match.group(1)
    return found


def screen():
    """The first screen has no rates, those behind it have."""
    server, _idle = Server(), Server(PORT + 1)
    server.serve(1)
    terminal = Terminal("top", "proto", "udp", "interval", "0.2")
    terminal.screen(0, lambda lines: shown(lines) == {PORT: "-", PORT + 1: "-"})
    server.serve(40)
    number = 0
    for _ in deadline():
        number += 1
        rates = shown(terminal.whole_screen(number))
        need(rates.get(PORT + 1) == "0.0", "rates", rates)
        if float(rates[PORT]) > 0:
            need(list(rates) == [PORT, PORT + 1], "not the busiest first")
            break
    terminal.press(b"xq")
    terminal.end()


def by_keys():
    """Ctrl-C, and signals"""
    for end in (b"\x03", signal.SIGTERM, signal.SIGHUP):
        terminal = Terminal("top", "interval", "3600")
        terminal.screen(0)
        if isinstance(end, bytes):
            terminal.press(end)
        else:
            terminal.dsctl.send_signal(end)
        terminal.end()


def by_count():
    """The last screen stands as long as the others, and there are no more."""
    terminal = Terminal("top", "peers", "interval", "0.2", "count", "3")
    terminal.end()
    need(terminal.output.count(CLEAR) == 3, terminal.output.count(CLEAR), "screens")


def resize():
    """It is drawn anew at once, and fits: the next screen by time would be long in coming."""
    servers = [Server(PORT + i) for i in range(MANY)]
    terminal = Terminal("top", "proto", "udp", "interval", "3600")
    for number, rows in enumerate((24, 10, 5, MANY + 10)):
        if number:
            terminal.resize(rows, 80)
        # Title, headings, and the sockets that fit; the cursor is below.
        high = min(rows - 1, len(servers) + 2)
        terminal.screen(number, lambda lines, high=high: len(lines) == high)
    need(terminal.output.count(CLEAR) == 4, "screens:", terminal.output.count(CLEAR))
    terminal.press(b"q")
    terminal.end()


def stop():
    """Ctrl-Z gives the terminal to the shell, and to go on takes it again: whatever has become
    due meanwhile, nothing is drawn in between. Where there is no shell it goes on at once."""
    shell = ("bash", "-mc", '"$@"; sleep 0.5; fg >/dev/null', "bash")
    for by, interval in ((shell, "0.2"), (shell, "3600"), (job('"$@"; bg'), "0.2"),
                         ((), "3600")):
        terminal = Terminal("top", "interval", interval, by=by)
        terminal.screen(0)
        terminal.press(b"\x1a")
        terminal.until(lambda: terminal.output.count(ENTER) == 2, "the terminal again")
        left = terminal.output.split(LEAVE)[0]
        between = terminal.output[len(left):].split(ENTER)[0]
        need(left.count(ENTER) == 1 and CLEAR not in between, "drawn:", repr(between))
        terminal.press(b"q")
        terminal.end()


def job(line):
    """A shell with a line that has dsctl in the background: there it stops, as it would use
    the terminal, until it is in the foreground."""
    return ("bash", "-mc", line + ''' >/dev/null
        until read -r _ _ state _ <"/proc/$(jobs -p)/stat" && [ "$state" = T ]; do
            sleep 0.1
        done
        fg >/dev/null''', "bash")


def background():
    """It draws nothing before it is in the foreground, where it begins."""
    terminal = Terminal("top", "interval", "0.2", by=job('"$@" &'))
    terminal.whole_screen(0)
    need(terminal.output.count(ENTER) == 1, "entered:", repr(terminal.output))
    terminal.press(b"q")
    terminal.end()


def unloaded():
    """The module goes: the usual message, on a terminal that is as before."""
    terminal = Terminal("top", "interval", "0.2")
    terminal.screen(0)
    for _ in deadline():
        if not subprocess.run(["rmmod", "dualstack"], check=False,
                              stderr=subprocess.DEVNULL).returncode:
            break
        terminal.read()
    terminal.end(2)
    need("the dualstack module is not loaded" in terminal.output.rsplit(LEAVE, 1)[1],
         "message:", repr(terminal.output[-2000:]))


globals()[sys.argv[1]]()
