// SPDX-License-Identifier: GPL-2.0
#include <netdb.h>
#include <netinet/in.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "socks/hosts.h"

/**
 * struct host - An address that was asked for.
 * @ep: with the address.
 * @name: its name, NULL if it has none.
 */
struct host {
	struct endpoint ep;
	char *name;
};

static int compare(const void *a, const void *b)
{
	return endpoint_compare(&((const struct host *)a)->ep,
				&((const struct host *)b)->ep);
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

const char *hosts_name(struct hosts *hosts, const struct endpoint *ep)
{
	struct host *host, key = { .ep = *ep }, **found;

	found = tfind(&key, &hosts->root, compare);
	if (found)
		return (*found)->name;

	host = calloc(1, sizeof(*host));
	if (!host)
		return NULL;
	host->ep = *ep;
	if (!tsearch(host, &hosts->root, compare)) {
		free(host);
		return NULL;
	}
	host->name = resolve(ep);
	return host->name;
}

void hosts_free(struct hosts *hosts)
{
	tdestroy(hosts->root, free_host);
	hosts->root = NULL;
}
