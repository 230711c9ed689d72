// SPDX-License-Identifier: GPL-2.0
/* dualstack: per-socket accounting of IPv4 on AF_INET6 sockets. */

#include <linux/init.h>
#include <linux/module.h>
#include <net/genetlink.h>
#include <uapi/linux/dualstack.h>

#include "events.h"
#include "hooks.h"
#include "netlink.h"
#include "sock.h"
#include "stats.h"
#include "suspend.h"

static int __init ds_init(void)
{
	int err;

	err = ds_sock_init();
	if (err)
		return err;

	err = ds_suspend_init();
	if (err)
		goto err_sock;

	err = ds_stats_init();
	if (err)
		goto err_suspend;

	err = ds_events_init();
	if (err)
		goto err_stats;

	err = ds_hooks_init();
	if (err)
		goto err_events;

	err = ds_hooks_attach();
	if (err)
		goto err_hooks;

	err = ds_netlink_init();
	if (err)
		goto err_attached;

	return 0;

err_attached:
	ds_hooks_detach();
err_hooks:
	ds_hooks_exit();
err_events:
	ds_events_exit();
err_stats:
	ds_stats_exit();
err_suspend:
	ds_suspend_exit();
err_sock:
	ds_sock_exit();
	return err;
}

static void __exit ds_exit(void)
{
	ds_events_close();
	ds_netlink_exit();
	ds_hooks_detach();
	ds_hooks_exit();
	ds_events_exit();
	ds_stats_exit();
	ds_suspend_exit();
	ds_sock_exit();
}

module_init(ds_init);
module_exit(ds_exit);

MODULE_DESCRIPTION("Per-socket accounting of IPv4 on AF_INET6 sockets");
MODULE_AUTHOR("The dualstack maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(DUALSTACK_VERSION);
MODULE_ALIAS_GENL_FAMILY(DUALSTACK_GENL_NAME);
