// SPDX-License-Identifier: GPL-2.0
#include "socks/detail.h"
#include "socks/put.h"

#define MAX_PORTS 3	/* ports of closed sockets that a text names */
#define MAX_PEERS 3	/* peers likewise */

/* Events that the sockets as they are now do not allow. */
static const char *past_words(const struct summary *sum)
{
	if (sum->taken)
		return sum->taken == sum->count ?
		       "refused before a socket took them" :
		       "from before sockets were changed";
	if (sum->refused == sum->count)
		return "of IPv4 refused before v6only was off";
	return sum->refused ? "of IPv4 before v6only was changed"
			    : "of IPv4 before v6only was on";
}

static const char *finding_words(const struct summary *sum,
				 enum finding finding)
{
	static const char *const words[] = {
		[IPV4_ONLY] = "IPv6 has no socket",
		[SERVES_IPV4] = "from IPv4",
		[USES_IPV4] = "to IPv4",
		[SPOOFED] = "from a mapped source",
		[REFUSES_IPV6] = "of IPv6 refused",
		[REFUSES_IPV4] = "of IPv4 refused",
		[SHADOWED] = "IPv4 goes elsewhere",
		[LOCAL_IPV4] = "of IPv4",
		[UNUSED_IPV4] = "none from IPv4",
		[READY] = "no need of IPv4",
	};

	return finding == PAST_IPV4 ? past_words(sum) : words[finding];
}

const char *detail_peer_str(const struct endpoint *ep, char *buf)
{
	return ep->port ? endpoint_str(ep, NULL, buf) : endpoint_addr(ep, buf);
}

void detail_put_peer(const struct claim *claim, struct text *text)
{
	char buf[ENDPOINT_STRLEN];

	if (claim->peer.family)
		text_printf(text, "%s %llu", detail_peer_str(&claim->peer, buf),
			    (unsigned long long)claim->count);
	else
		text_printf(text, "%llu of others",
			    (unsigned long long)claim->count);
}

/* The first peers, how many more there are, and what has no address. */
static void put_peers(const struct summary *sum, struct text *text)
{
	size_t i, named = sum->num_peers;
	bool rest;

	rest = named && !sum->peers[named - 1].peer.family;
	named -= rest;
	for (i = 0; i < named && i < MAX_PEERS; i++) {
		text_puts(text, i ? ", " : ": ");
		detail_put_peer(&sum->peers[i], text);
	}
	if (named > MAX_PEERS)
		text_printf(text, ", +%zu", named - MAX_PEERS);
	if (rest) {
		text_puts(text, named ? ", " : ": ");
		detail_put_peer(&sum->peers[named], text);
	}
}

/* Where those came to that nobody waits for any more. */
static void put_ports(const struct report *report, enum finding finding,
		      struct text *text)
{
	const struct claims *claims = &report->claims;
	size_t i, n = 0;

	for (i = 0; i < claims->num_ports; i++) {
		const struct closed_port *port = &claims->ports[i];

		if (port->finding != finding || n++ >= MAX_PORTS)
			continue;
		text_printf(text, "%s%s %u", n > 1 ? ", " : " at ",
			    proto_name(port->protocol), port->port);
	}
	if (n > MAX_PORTS)
		text_printf(text, ", +%zu", n - MAX_PORTS);
}

static void put_unnamed(const struct report *report, const struct summary *sum,
			struct text *text)
{
	const struct closed *closed = &report->closed;

	if (closed_count(closed, UNNAMED_IPV4))
		text_printf(text,
			    "%llu TCP connects, %llu sent, %llu received",
			    (unsigned long long)closed->connects,
			    (unsigned long long)closed->sent,
			    (unsigned long long)closed->received);
	if (sum->num_peers)
		text_printf(text, "%s%llu of peers that have no entry",
			    text->len ? ", " : "",
			    (unsigned long long)sum->peers[0].count);
}

void detail_put(const struct report *report, uint32_t service,
		enum finding finding, const struct summary *sum, bool peers,
		struct text *text)
{
	if (finding == UNNAMED_IPV4) {
		put_unnamed(report, sum, text);
		return;
	}
	if (sum->count)
		text_printf(text, "%llu ", (unsigned long long)sum->count);
	if (sum->count || !sum->conns)
		text_puts(text, finding_words(sum, finding));
	if (report->services.v[service].kind == SERVICE_CLOSED)
		put_ports(report, finding, text);
	if (peers)
		put_peers(sum, text);
	if (sum->last.peer.family) {
		text_puts(text, ", last ");
		if (sum->num_peers)
			text_age(text, sum->last.age);
		else
			text_last(text, &sum->last);
	}
	if (sum->conns)
		text_printf(text, "%s%llu connected",
			    sum->count ? ", " : "",
			    (unsigned long long)sum->conns);
}
