// SPDX-License-Identifier: GPL-2.0
/* dualstack: per-socket accounting of IPv4 on AF_INET6 sockets. */

#include <linux/init.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <uapi/linux/dualstack.h>

#include "events.h"
#include "hooks.h"
#include "ledger.h"
#include "net.h"
#include "netlink.h"
#include "port_sums.h"
#include "queue.h"
#include "sock.h"
#include "stats.h"
#include "suspend.h"
#include "window.h"

static int __net_init ds_net_init(struct net *net)
{
	struct ds_net *dn = ds_net(net);
	int err;

	dn->net = net;
	err = ds_totals_init(&dn->totals);
	if (err)
		return err;
	ds_records_init(&dn->records, ds_net_age);
	ds_ledger_init(&dn->ledger);
	ds_ports_init(&dn->ports);
	ds_windows_init(&dn->windows);
	ds_rules_init(&dn->rules);
	ds_queue_init(&dn->queue, ds_events_work);
	return 0;
}

static void __net_exit ds_net_exit(struct list_head *nets)
{
	bool ended = false;
	struct net *net;

	list_for_each_entry(net, nets, exit_list)
		ended |= ds_records_end(ds_net(net));
	/* Readers that found one of these records are about to look at its namespace. */
	if (ended)
		synchronize_rcu();
	/* No packet counts here any more: cleanup_net() has waited for those that
	 * found check_net() true, and ds_hooks_detach() if the module goes.
	 */
	list_for_each_entry(net, nets, exit_list) {
		ds_ledger_end(&ds_net(net)->ledger);
		ds_ports_end(&ds_net(net)->ports);
		ds_rules_end(&ds_net(net)->rules);
		ds_totals_exit(&ds_net(net)->totals);
	}
}

static struct pernet_operations ds_net_ops = {
	.init	= ds_net_init,
	.exit_batch = ds_net_exit,
	.id	= &ds_net_id,
	.size	= sizeof(struct ds_net),
};

static int __init ds_init(void)
{
	int err;

	err = ds_ledger_module_init();
	if (err)
		return err;

	err = ds_sock_init();
	if (err)
		goto err_ledger;

	err = ds_queue_module_init();
	if (err)
		goto err_sock;

	err = register_pernet_subsys(&ds_net_ops);
	if (err)
		goto err_queue;

	/* It looks at what there is for all namespaces. */
	err = ds_suspend_init();
	if (err)
		goto err_net;

	err = ds_events_init();
	if (err)
		goto err_suspend;

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
err_suspend:
	ds_suspend_exit();
err_net:
	unregister_pernet_subsys(&ds_net_ops);
err_queue:
	ds_queue_module_exit();
err_sock:
	ds_sock_exit();
err_ledger:
	ds_ledger_module_exit();
	return err;
}

static void __exit ds_exit(void)
{
	ds_events_close();
	ds_netlink_exit();
	ds_hooks_detach();
	ds_hooks_exit();
	ds_events_exit();
	ds_suspend_exit();
	unregister_pernet_subsys(&ds_net_ops);
	ds_queue_module_exit();
	ds_sock_exit();
	ds_ledger_module_exit();
}

module_init(ds_init);
module_exit(ds_exit);

MODULE_DESCRIPTION("Per-socket accounting of IPv4 on AF_INET6 sockets");
MODULE_AUTHOR("The dualstack maintainers");
MODULE_LICENSE("GPL");
MODULE_VERSION(DUALSTACK_VERSION);
/*
 * No MODULE_ALIAS_GENL_FAMILY(): whoever asks for the family, of whatever rights, would
 * have the module loaded and the kernel hooked by it.
 */
