// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <linux/dualstack.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdlib.h>
#include <string.h>

#include "nl/ports.h"
#include "out/err.h"
#include "util/array.h"

static void ports_start(void *arg)
{
	struct port_list *list = arg;

	list->n = 0;
}

static int ports_each(const struct nlmsghdr *hdr, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_PORT_MAX + 1];
	struct port_list *list = arg;
	struct port *port;

	if (genlmsg_parse((struct nlmsghdr *)hdr, 0, tb, DUALSTACK_A_PORT_MAX,
			  NULL) < 0 ||
	    !tb[DUALSTACK_A_PORT_PROTOCOL] || !tb[DUALSTACK_A_PORT_PORT])
		return -EBADMSG;
	if (array_grow((void **)&list->v, list->n, &list->size,
		       sizeof(*list->v)))
		return -ENOMEM;
	port = &list->v[list->n++];
	port->protocol = nla_get_u8(tb[DUALSTACK_A_PORT_PROTOCOL]);
	port->port = ntohs(nla_get_u16(tb[DUALSTACK_A_PORT_PORT]));
	counters_parse(port->counters, tb[DUALSTACK_A_PORT_COUNTERS]);
	return 0;
}

int ports_dump(struct dsnl *nl, struct port_list *list)
{
	struct nl_msg *msg;
	int error;

	msg = dsnl_genl_msg(nl, DUALSTACK_CMD_PORT_GET, NLM_F_DUMP);
	if (!msg)
		return err_no_memory();
	error = dsnl_request(nl, msg, ports_start, ports_each, list);
	if (!error)
		return 0;
	dsnl_err(nl, "cannot get the sums by port", error);
	return -1;
}

void ports_free(struct port_list *list)
{
	free(list->v);
	memset(list, 0, sizeof(*list));
}
