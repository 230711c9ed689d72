// SPDX-License-Identifier: GPL-2.0
/* Rules: what IPV6_V6ONLY is to be on sockets to come. What they do is in bind.c, how
 * they are asked for in rule_ops.c.
 */

#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/sock.h>

#include "net.h"
#include "rules.h"

atomic_t ds_rules_total = ATOMIC_INIT(0);
atomic_t ds_rules_total_dual = ATOMIC_INIT(0);

struct ds_rule *ds_rules_find(struct ds_rules *rules, enum ds_proto proto,
			      u16 port)
{
	return xa_load(&rules->by_key, ds_rule_key(proto, port)) ?:
	       xa_load(&rules->by_key, DS_RULE_ALL);
}

/* Dumps of before and after a change differ. */
static void ds_rules_changed(struct ds_rules *rules)
{
	lockdep_assert_held(&rules->mutex);

	WRITE_ONCE(rules->generation, rules->generation + 1 ?: 1);
}

static int ds_rules_store(struct ds_rules *rules, u32 key, bool v6only,
			  struct ds_rule *old)
{
	struct ds_rule *rule;
	int err;

	if (!old && rules->n >= DS_MAX_RULES)
		return -ENOSPC;
	rule = kzalloc(sizeof(*rule), GFP_KERNEL_ACCOUNT);
	if (!rule)
		return -ENOMEM;
	rule->key = key;
	rule->v6only = v6only;

	err = xa_err(xa_store_bh(&rules->by_key, key, rule,
				 GFP_KERNEL_ACCOUNT));
	if (err) {
		kfree(rule);
		return err;
	}
	if (old) {
		kfree_rcu(old, rcu);
	} else {
		rules->n++;
		atomic_inc(&ds_rules_total);
	}
	ds_rules_changed(rules);
	return 0;
}

int ds_rules_set(struct ds_rules *rules, u32 key, bool v6only, int *was)
{
	struct ds_rule *old;
	int err = 0;

	mutex_lock(&rules->mutex);
	old = xa_load(&rules->by_key, key);
	*was = old ? old->v6only : -1;
	if (*was != v6only)
		err = ds_rules_store(rules, key, v6only, old);
	mutex_unlock(&rules->mutex);
	return err;
}

int ds_rules_del(struct ds_rules *rules, u32 key)
{
	struct ds_rule *rule;

	mutex_lock(&rules->mutex);
	rule = xa_erase_bh(&rules->by_key, key);
	if (rule) {
		rules->n--;
		atomic_dec(&ds_rules_total);
		ds_rules_changed(rules);
	}
	mutex_unlock(&rules->mutex);
	if (!rule)
		return -ENOENT;
	kfree_rcu(rule, rcu);
	return 0;
}

void ds_rule_pass_over(struct ds_rules *rules, struct ds_rule *rule, __be32 addr,
		       u64 cookie)
{
	atomic64_inc(&rule->passed_over);
	spin_lock_bh(&rules->lock);
	rule->holder_addr = addr;
	rule->holder = cookie;
	spin_unlock_bh(&rules->lock);
}

u64 ds_rule_holder(struct ds_rules *rules, const struct ds_rule *rule,
		   __be32 *addr)
{
	u64 cookie;

	spin_lock_bh(&rules->lock);
	*addr = rule->holder_addr;
	cookie = rule->holder;
	spin_unlock_bh(&rules->lock);
	return cookie;
}

/* Those of the kernel's own may outlive their namespace, and are never noted. */
static struct ds_rules *ds_rules_of(const struct sock *sk)
{
	return sk->sk_kern_sock ? NULL : &ds_net(sock_net(sk))->rules;
}

static void ds_rules_erase(struct ds_rules *rules, unsigned long cookie)
{
	if (xa_erase_bh(&rules->made_dual, cookie))
		atomic_dec(&ds_rules_total_dual);
}

void ds_rules_forget(const struct sock *sk)
{
	u64 cookie = atomic64_read(&sk->sk_cookie);
	struct ds_rules *rules;

	if (likely(!atomic_read(&ds_rules_total_dual)) || !cookie)
		return;
	rules = ds_rules_of(sk);
	if (rules)
		ds_rules_erase(rules, cookie);
}

void ds_rules_note(const struct sock *sk, u64 cookie)
{
	struct ds_rules *rules = ds_rules_of(sk);

	if (rules && !xa_store_bh(&rules->made_dual, cookie, xa_mk_value(1),
				  GFP_ATOMIC | __GFP_NOWARN))
		atomic_inc(&ds_rules_total_dual);
}

bool ds_rules_made(const struct sock *sk)
{
	struct ds_rules *rules = ds_rules_of(sk);

	return rules && xa_load(&rules->made_dual,
				atomic64_read(&sk->sk_cookie));
}

static void ds_rules_forget_dual(struct ds_rules *rules)
{
	unsigned long cookie;
	void *entry;

	xa_for_each(&rules->made_dual, cookie, entry)
		ds_rules_erase(rules, cookie);
}

static void ds_rules_forget_net(struct net *net, void *unused)
{
	ds_rules_forget_dual(&ds_net(net)->rules);
}

void ds_rules_forget_all(void)
{
	if (atomic_read(&ds_rules_total_dual))
		ds_net_visit(ds_rules_forget_net, NULL);
}

void ds_rules_init(struct ds_rules *rules)
{
	/* A softirq may be the end of a socket; and to lockdep both have one lock. */
	xa_init_flags(&rules->by_key, XA_FLAGS_LOCK_BH | XA_FLAGS_ACCOUNT);
	xa_init_flags(&rules->made_dual, XA_FLAGS_LOCK_BH | XA_FLAGS_ACCOUNT);
	mutex_init(&rules->mutex);
	rules->generation = 1;
	spin_lock_init(&rules->lock);
	INIT_LIST_HEAD(&rules->binding);
}

void ds_rules_end(struct ds_rules *rules)
{
	struct ds_rule *rule;
	unsigned long key;

	xa_for_each(&rules->by_key, key, rule)
		kfree(rule);
	xa_destroy(&rules->by_key);
	atomic_sub(rules->n, &ds_rules_total);
	ds_rules_forget_dual(rules);
}
