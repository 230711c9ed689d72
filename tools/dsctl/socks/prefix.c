// SPDX-License-Identifier: GPL-2.0
#include <netinet/in.h>
#include <string.h>

#include "out/err.h"
#include "socks/prefix.h"
#include "util/args.h"

/* Where an IPv4-mapped address has the IPv4 address. */
#define MAPPED_AT	12

int prefix_parse(const char *what, const char *word, struct prefix *prefix)
{
	const char *slash = strchr(word, '/');
	size_t n = slash ? (size_t)(slash - word) : strlen(word);
	char addr[INET6_ADDRSTRLEN] = "";
	const char *start = word;
	uint64_t len;
	int max;

	memset(prefix, 0, sizeof(*prefix));
	/* As we print it, before a port. */
	if (n > 2 && word[0] == '[' && word[n - 1] == ']') {
		start++;
		n -= 2;
	}
	if (n < sizeof(addr))
		memcpy(addr, start, n);
	if (!endpoint_parse(&prefix->ep, addr)) {
		err("%s \"%s\": not ADDRESS or ADDRESS/LENGTH, IPv4 or IPv6",
		    what, word);
		return -1;
	}

	max = prefix->ep.family == AF_INET ? 32 : 128;
	len = max;
	if (slash && arg_number("prefix length", slash + 1, 0, max, &len))
		return -1;
	prefix->len = len;
	return 0;
}

void prefix_mask(struct prefix *prefix)
{
	uint8_t *addr = (uint8_t *)&prefix->ep.addr;
	size_t i, n = prefix->ep.family == AF_INET ? 4 : 16;

	for (i = prefix->len / 8; i < n; i++)
		addr[i] &= i > prefix->len / 8 ? 0 : 0xff00 >> prefix->len % 8;
}

int prefix_check(const char *what, const char *word,
		 const struct prefix *prefix)
{
	struct prefix masked = *prefix;
	char buf[INET6_ADDRSTRLEN];

	prefix_mask(&masked);
	if (!memcmp(&masked.ep.addr, &prefix->ep.addr, sizeof(masked.ep.addr)))
		return 0;
	err("%s \"%s\": has bits behind the length, expected %s/%u", what, word,
	    endpoint_addr(&masked.ep, buf), masked.len);
	return -1;
}

void prefix_unmap(struct prefix *prefix)
{
	const uint8_t *addr = prefix->ep.addr.v6.s6_addr;
	struct in_addr v4;

	if (prefix->ep.family != AF_INET6 || prefix->len < 8 * MAPPED_AT ||
	    !IN6_IS_ADDR_V4MAPPED(&prefix->ep.addr.v6))
		return;
	memcpy(&v4, addr + MAPPED_AT, sizeof(v4));
	prefix->ep.family = AF_INET;
	prefix->len -= 8 * MAPPED_AT;
	prefix->ep.addr.v4 = v4;
}

bool prefix_has(const struct prefix *prefix, const struct endpoint *ep)
{
	const uint8_t *want = (const uint8_t *)&prefix->ep.addr;
	const uint8_t *addr = (const uint8_t *)&ep->addr;
	unsigned int bytes = prefix->len / 8, bits = prefix->len % 8;

	if (ep->family != prefix->ep.family) {
		if (ep->family != AF_INET6 ||
		    !IN6_IS_ADDR_V4MAPPED(&ep->addr.v6))
			return false;
		addr += MAPPED_AT;
	}
	if (memcmp(want, addr, bytes))
		return false;
	return !bits || !((want[bytes] ^ addr[bytes]) >> (8 - bits));
}
