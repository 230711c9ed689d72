// SPDX-License-Identifier: GPL-2.0
#include <netdb.h>
#include <netinet/in.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "socks/hosts.h"

/* Of so many, the next report begins with none. */
#define MANY	65536

/**
 * struct host - An address that was asked for.
 * @netns: in which network namespace.
 * @ep: with the address.
 * @name: its name, NULL if it has none.
 */
struct host {
	uint64_t netns;
	struct endpoint ep;
	char *name;
};

static int compare(const void *a, const void *b)
{
	const struct host *x = a, *y = b;

	if (x->netns != y->netns)
		return x->netns < y->netns ? -1 : 1;
	return endpoint_compare(&x->ep, &y->ep);
}

static char *resolve(const struct endpoint *ep)
{
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6,
		.sin6_addr = ep->addr.v6,
	};
	struct sockaddr_in v4 = {
		.sin_family = AF_INET,
		.sin_addr = ep->addr.v4,
	};
	bool is_v6 = ep->family == AF_INET6;
	char name[NI_MAXHOST];

	if (getnameinfo(is_v6 ? (void *)&v6 : &v4,
			is_v6 ? sizeof(v6) : sizeof(v4), name, sizeof(name),
			NULL, 0, NI_NAMEREQD))
		return NULL;
	return strdup(name);
}

static void free_host(void *host)
{
	free(((struct host *)host)->name);
	free(host);
}

void hosts_begin(struct hosts *hosts, uint64_t netns)
{
	if (hosts->n > MANY)
		hosts_free(hosts);
	hosts->netns = netns;
}

const char *hosts_name(struct hosts *hosts, const struct endpoint *ep)
{
	struct host *host, key = { .netns = hosts->netns, .ep = *ep }, **found;

	found = tfind(&key, &hosts->root, compare);
	if (found)
		return (*found)->name;

	host = calloc(1, sizeof(*host));
	if (!host)
		return NULL;
	*host = key;
	if (!tsearch(host, &hosts->root, compare)) {
		free(host);
		return NULL;
	}
	hosts->n++;
	host->name = resolve(ep);
	return host->name;
}

void hosts_free(struct hosts *hosts)
{
	tdestroy(hosts->root, free_host);
	hosts->root = NULL;
	hosts->n = 0;
}
