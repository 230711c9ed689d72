// SPDX-License-Identifier: GPL-2.0
#include <netinet/in.h>
#include <string.h>

#include "out/err.h"
#include "socks/servers.h"
#include "util/array.h"

#define INIT_PID	1

static const struct diag_request requests[] = {
	{ AF_INET, IPPROTO_TCP, DIAG_STATE(TCP_LISTEN), 0 },
	{ AF_INET, IPPROTO_UDP, DIAG_STATE(TCP_CLOSE), 0 },
	{ AF_INET6, IPPROTO_TCP, DIAG_STATE(TCP_LISTEN), 0 },
	{ AF_INET6, IPPROTO_UDP, DIAG_STATE(TCP_CLOSE), 0 },
};

static uint64_t port_key(uint8_t protocol, uint16_t port)
{
	return (uint64_t)protocol << 16 | port;
}

/* Its first user, but for init where there is another one: PROC_NONE if there is none. */
static uint32_t user_of(const struct procs *procs, const struct sock *sk)
{
	uint32_t i;

	for (i = sk->procs.first; i != PROC_NONE; i = procs->fds[i].next)
		if (procs->tasks[procs->fds[i].task].pid != INIT_PID)
			return i;
	return sk->procs.first;
}

static void add(struct servers *servers, bool wildcard)
{
	size_t i;

	for (i = 0; i < servers->socks.n; i++) {
		const struct sock *sk = &servers->socks.v[i];
		uint32_t user = user_of(&servers->procs, sk);

		if (user != PROC_NONE &&
		    endpoint_is_wildcard(&sk->local) == wildcard)
			map_set(&servers->by_port,
				port_key(sk->protocol, sk->local.port), user);
	}
}

int servers_get(struct dsnl *nl, struct servers *servers)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++)
		if (diag_dump(nl, &requests[i], &servers->socks))
			return -1;
	if (procs_find(&servers->procs, &servers->socks))
		return -1;
	if (map_init(&servers->by_port, servers->socks.n))
		return err_no_memory();
	/* Of those with the same port the first is kept. */
	add(servers, true);
	add(servers, false);
	return 0;
}

const char *servers_name(const struct servers *servers, uint8_t protocol,
			 uint16_t port)
{
	const struct procs *procs = &servers->procs;
	uint32_t user;

	if (!servers->by_port.slots)
		return NULL;
	user = map_get(&servers->by_port, port_key(protocol, port));
	if (user == MAP_NONE)
		return NULL;
	return procs->tasks[procs->fds[user].task].comm;
}

void servers_free(struct servers *servers)
{
	map_free(&servers->by_port);
	procs_free(&servers->procs);
	sock_list_free(&servers->socks);
}
