#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Add a table of nftables with a base chain, as `nft add chain` would.

  nft_peer.py { ip | ip6 | inet } { prerouting | input | output }
"""

import socket
import struct
import sys

NETLINK_NETFILTER = 12
NLMSG_ERROR, NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END = 2, 16, 17
NFNL_SUBSYS_NFTABLES = 10
NFT_MSG_NEWTABLE, NFT_MSG_NEWCHAIN = 0, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE = 1, 4, 0x400
NFTA_TABLE_NAME = 1
NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, NFTA_CHAIN_HOOK, NFTA_CHAIN_TYPE = 1, 3, 4, 7
NFTA_HOOK_HOOKNUM, NFTA_HOOK_PRIORITY = 1, 2
NLA_F_NESTED = 0x8000
FAMILIES = {"inet": 1, "ip": 2, "ip6": 10}
HOOKS = {"prerouting": 0, "input": 1, "output": 3}
NAME = b"dualstack_test\0"


def attr(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def message(kind, flags, seq, family, res_id, attrs=b""):
    body = struct.pack("!BBH", family, 0, res_id) + attrs
    return struct.pack("=IHHII", 16 + len(body), kind, NLM_F_REQUEST | flags,
                       seq, 0) + body


def main():
    family, hook = FAMILIES[sys.argv[1]], HOOKS[sys.argv[2]]
    subsys = NFNL_SUBSYS_NFTABLES << 8
    place = attr(NFTA_HOOK_HOOKNUM, struct.pack("!I", hook)) + \
        attr(NFTA_HOOK_PRIORITY, struct.pack("!i", 0))
    chain = attr(NFTA_CHAIN_TABLE, NAME) + attr(NFTA_CHAIN_NAME, NAME) + \
        attr(NFTA_CHAIN_HOOK | NLA_F_NESTED, place) + \
        attr(NFTA_CHAIN_TYPE, b"filter\0")
    batch = message(NFNL_MSG_BATCH_BEGIN, 0, 1, 0, NFNL_SUBSYS_NFTABLES)
    batch += message(subsys | NFT_MSG_NEWTABLE, NLM_F_CREATE, 2, family, 0,
                     attr(NFTA_TABLE_NAME, NAME))
    batch += message(subsys | NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_ACK, 3,
                     family, 0, chain)
    batch += message(NFNL_MSG_BATCH_END, 0, 4, 0, NFNL_SUBSYS_NFTABLES)

    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                       NETLINK_NETFILTER) as sock:
        sock.settimeout(60)
        sock.bind((0, 0))
        sock.send(batch)
        kind, error = struct.unpack("=4xH10xi", sock.recv(65536)[:20])
    if kind != NLMSG_ERROR or error:
        sys.exit("nft_peer.py: error %d" % error)


main()
