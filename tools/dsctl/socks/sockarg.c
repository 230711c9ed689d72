// SPDX-License-Identifier: GPL-2.0
#include "out/err.h"
#include "socks/sockarg.h"
#include "util/array.h"

int sockarg_parse(struct filter *filter, int argc, char **argv)
{
	if (filter_parse(filter, SOCKARG_FILTERS, argc, argv))
		return -1;

	switch (filter->given) {
	case FILTER_COOKIE:
	case FILTER_PROTO | FILTER_PORT:
		return 0;
	case FILTER_PROTO:
		err("proto: a socket is named by its port as well");
		return -1;
	case FILTER_PORT:
		err("port: a socket is named by its proto as well, tcp or udp");
		return -1;
	case 0:
		err("the socket is missing: cookie COOKIE, or proto and port");
		return -1;
	default:
		err("cookie: it needs no proto and no port");
		return -1;
	}
}

const char *sockarg_str(const struct filter *filter, char *buf)
{
	if (filter->given & FILTER_COOKIE)
		snprintf(buf, SOCKARG_STRLEN, "cookie %llu",
			 (unsigned long long)filter->cookie);
	else
		snprintf(buf, SOCKARG_STRLEN, "%s port %u",
			 proto_name(filter->proto), filter->port);
	return buf;
}

int sockarg_list(struct dsnl *nl, const struct filter *filter,
		 struct sock_list *list)
{
	static const uint8_t families[] = { AF_INET6, AF_INET };
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct diag_request req = {
		.states = DIAG_ALL_STATES,
		.port = filter->port,
	};
	size_t i, j;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		req.protocol = protocols[i];
		if (filter->proto && filter->proto != req.protocol)
			continue;
		for (j = 0; !ret && j < ARRAY_SIZE(families); j++) {
			req.family = families[j];
			ret = diag_dump(nl, &req, list);
		}
	}
	if (!ret && filter->given & FILTER_COOKIE)
		sock_list_keep(list, filter->cookie);
	return ret;
}

int sockarg_find(struct dsnl *nl, const struct filter *filter,
		 struct sock_list *list)
{
	char buf[SOCKARG_STRLEN];

	if (sockarg_list(nl, filter, list))
		return -1;
	if (list->n)
		return 0;
	err("%s: no bound socket has it", sockarg_str(filter, buf));
	return -1;
}
