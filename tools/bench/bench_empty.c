// SPDX-License-Identifier: GPL-2.0
/* A callback of ftrace that does nothing: what any hook of that kind costs. */

#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/string.h>

static void notrace bench_empty(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops,
				struct ftrace_regs *fregs)
{
}

static struct ftrace_ops bench_ops = {
	.func	= bench_empty,
};

/* Where the module counts datagrams, connections, and the end of sockets. */
static char *const bench_targets[] = {
	"skb_consume_udp",
	"tcp_child_process",
	"inet_sock_destruct",
};

static int __init bench_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(bench_targets); i++) {
		err = ftrace_set_filter(&bench_ops,
					(unsigned char *)bench_targets[i],
					strlen(bench_targets[i]), 0);
		if (err)
			goto err_filter;
	}
	err = register_ftrace_function(&bench_ops);
	if (err)
		goto err_filter;
	return 0;

err_filter:
	ftrace_free_filter(&bench_ops);
	return err;
}

static void __exit bench_exit(void)
{
	unregister_ftrace_function(&bench_ops);
	ftrace_free_filter(&bench_ops);
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("The floor of what a hook by ftrace costs");
MODULE_AUTHOR("The dualstack maintainers");
MODULE_LICENSE("GPL");
