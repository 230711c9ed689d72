// SPDX-License-Identifier: GPL-2.0
/* The ledger: who uses IPv4, by address, and longer than a socket lives.
 *
 * An entry that is known is found in a table, or by the record of a socket that had
 * this peer before, and is counted in without a lock. Where a direction has as many as
 * it may have, one of those that were seldom there gives way: what it counted is added
 * to the rest of its port, so that the sum stays what it was. Somebody may have found it
 * just before, and count in it yet: for a grace period of RCU that is looked after and
 * brought to the rest as well.
 */

#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "charge.h"
#include "last_peer.h"
#include "ledger.h"
#include "sock.h"

/* Who was there as often as this is no newcomer any more: a scan, or what tries a few
 * times, does not get there.
 */
#define DS_NEWCOMER	4

/* How many are looked at for one that gives way. */
#define DS_LEDGER_LOOKS	16

/* How many may wait for a grace period, after they gave way. */
#define DS_LEDGER_GONE	4096

/* How many are removed before others get a chance at the lock. */
#define DS_LEDGER_STEP	64

static_assert(sizeof(struct ds_entry) == 96);
static_assert(offsetofend(struct ds_entry, last) == 64);
static_assert(sizeof(struct ds_entry_key) == 5 * sizeof(u64));
static_assert((DS_N_DIRECTIONS - 1) == DS_ENTRY_DIRECTION);
static_assert(DS_MAX_PEERS_LIMIT + 2 * DS_MAX_RESTS < BIT(24));

#define DS_ENTRY_NOBODY { .key.head = (__force u32)DS_ENTRY_NO_ADDR }

struct ds_entry ds_entry_undecided = DS_ENTRY_NOBODY;
struct ds_entry ds_entry_server = DS_ENTRY_NOBODY;

struct rhashtable ds_entry_table;
u64 ds_entry_hash_key[6] __ro_after_init;
static struct kmem_cache *ds_entry_cache;

static __always_inline int ds_entry_cmp(struct rhashtable_compare_arg *arg,
					const void *entry)
{
	return !ds_entry_is(arg->key, &((const struct ds_entry *)entry)->key);
}

static const struct rhashtable_params ds_entry_params = {
	.head_offset		= offsetof(struct ds_entry, node),
	.key_offset		= offsetof(struct ds_entry, key),
	.key_len		= sizeof(struct ds_entry_key),
	.hashfn			= ds_entry_hash,
	.obj_cmpfn		= ds_entry_cmp,
	.automatic_shrinking	= true,
};

/* The life of an entry */

static struct ds_entry *ds_entry_alloc(const struct ds_entry_key *key)
{
	struct ds_entry *entry;

	entry = kmem_cache_zalloc(ds_entry_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!entry)
		return NULL;
	entry->key = *key;
	entry->first = jiffies;
	entry->last = entry->first;
	atomic_set(&entry->refs, 1);
	return entry;
}

static void ds_entry_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(ds_entry_cache, container_of(rcu, struct ds_entry, rcu));
}

/* A reader may have it from a record that has just forgotten it. */
void ds_entry_free(struct ds_entry *entry)
{
	call_rcu(&entry->rcu, ds_entry_free_rcu);
}

static void ds_entry_put_rcu(struct rcu_head *rcu)
{
	ds_entry_put(container_of(rcu, struct ds_entry, rcu));
}

/* The entry, if there is one. Under RCU, or the lock. */
static struct ds_entry *ds_entry_lookup(const struct ds_entry_key *key)
{
	struct ds_entry *entry;

	rcu_read_lock();
	entry = rhashtable_lookup(&ds_entry_table, key, ds_entry_params);
	rcu_read_unlock();
	return entry;
}

/* Into the table, and then into where dumps look: before that nobody else has seen it. */
static bool ds_entry_insert(struct ds_side *side, struct ds_entry *entry)
{
	const gfp_t gfp = GFP_ATOMIC | __GFP_NOWARN;
	u32 index;

	/* A place in the index, for which no memory is wanted later. */
	if (xa_alloc(&side->entries, &index, NULL, XA_LIMIT(0, BIT(24) - 1), gfp))
		return false;
	entry->index = index;
	if (rhashtable_insert_fast(&ds_entry_table, &entry->node,
				   ds_entry_params)) {
		xa_release(&side->entries, index);
		return false;
	}
	xa_store(&side->entries, index, entry, gfp);
	return true;
}

static struct ds_side *ds_entry_side(struct ds_ledger *ledger,
				     const struct ds_entry_key *key)
{
	return &ledger->side[ds_key_direction(key)];
}

/* Nobody finds it after this; who has found it before sees that it is dead, sooner or
 * later. It is in no list then.
 */
static void ds_entry_remove(struct ds_ledger *ledger, struct ds_entry *entry)
{
	struct ds_side *side = ds_entry_side(ledger, &entry->key);
	struct ds_entry_key *key = &entry->key;

	lockdep_assert_held(&ledger->lock);

	/* By its key, so that goes first. */
	rhashtable_remove_fast(&ds_entry_table, &entry->node, ds_entry_params);
	xa_erase(&side->entries, entry->index);
	list_del(&entry->list);
	WRITE_ONCE(key->head, ds_entry_head(DS_ENTRY_NO_ADDR, ds_key_port(key),
					    ds_key_proto(key),
					    ds_key_kind(key) | DS_ENTRY_DEAD));
}

/* The rest */

static void ds_rest_add(struct ds_rest *rest, u64 n, unsigned long first,
			unsigned long last)
{
	if (!rest->count || time_before(first, rest->first))
		WRITE_ONCE(rest->first, first);
	if (!rest->count || time_after(last, rest->last))
		WRITE_ONCE(rest->last, last);
	WRITE_ONCE(rest->count, rest->count + n);
}

static struct ds_entry *ds_ledger_port_rest(struct ds_ledger *ledger,
					    const struct ds_entry_key *key)
{
	struct ds_entry_key rest = {
		.ledger	= ledger,
		.head	= ds_entry_head(DS_ENTRY_NO_ADDR, ds_key_port(key),
					ds_key_proto(key),
					ds_key_direction(key) | DS_ENTRY_REST),
	};
	struct ds_entry *entry;

	if (!ds_direction_has_port(ds_key_direction(key)))
		return NULL;
	entry = ds_entry_lookup(&rest);
	if (entry || ledger->n_rests >= DS_MAX_RESTS)
		return entry;

	entry = ds_entry_alloc(&rest);
	if (entry && !ds_entry_insert(ds_entry_side(ledger, &rest), entry)) {
		kmem_cache_free(ds_entry_cache, entry);
		entry = NULL;
	}
	if (entry) {
		list_add_tail(&entry->list, &ledger->rests);
		ledger->n_rests++;
	}
	return entry;
}

/* Add to the rest that a peer belongs to. */
static void ds_ledger_add_rest(struct ds_ledger *ledger,
			       const struct ds_entry_key *key, u64 n,
			       unsigned long first, unsigned long last)
{
	struct ds_entry *entry;

	lockdep_assert_held(&ledger->lock);

	entry = ds_ledger_port_rest(ledger, key);
	if (!entry) {
		ds_rest_add(&ds_entry_side(ledger, key)->rest[ds_key_proto(key)], n,
			    first, last);
		return;
	}
	if (!atomic64_read(&entry->count) || time_before(first, entry->first))
		WRITE_ONCE(entry->first, first);
	if (!atomic64_read(&entry->count) || time_after(last, entry->last))
		WRITE_ONCE(entry->last, last);
	atomic64_add(n, &entry->count);
}

/* Room for one more */

static void ds_ledger_bring(struct ds_ledger *ledger, struct ds_entry *entry,
			    unsigned long first)
{
	u64 n = atomic64_read(&entry->count);

	if (n)
		ds_ledger_add_rest(ledger, &entry->key,
				   atomic64_xchg(&entry->count, 0), first,
				   READ_ONCE(entry->last));
}

static void ds_ledger_evict(struct ds_ledger *ledger, struct ds_side *side,
			    struct ds_entry *entry)
{
	side->n--;
	side->n_newcomers -= !entry->regular;
	ds_entry_remove(ledger, entry);
	ds_ledger_bring(ledger, entry, entry->first);
	smp_wmb();	/* pairs with ds_entry_read() */
	/* Others will start the grace periods of those that follow. */
	entry->key.gone_at = ledger->n_gone ? get_state_synchronize_rcu() :
					      start_poll_synchronize_rcu();
	list_add_tail(&entry->list, &ledger->gone);
	ledger->n_gone++;
}

/* Returns whether it could be let go. */
static bool ds_ledger_settle_one(struct ds_ledger *ledger, struct ds_entry *entry)
{
	/* Asked first: what is in @count is then all that ever will be. */
	bool done = poll_state_synchronize_rcu(entry->key.gone_at);

	ds_ledger_bring(ledger, entry, READ_ONCE(entry->last));
	if (done) {
		list_del(&entry->list);
		ledger->n_gone--;
		ds_entry_put(entry);
	}
	return done;
}

/* Two for each one that comes, so that they do not become more and more. */
static void ds_ledger_settle_some(struct ds_ledger *ledger)
{
	struct ds_entry *entry, *next;
	unsigned int left = 2;

	list_for_each_entry_safe(entry, next, &ledger->gone, list)
		if (!left-- || !ds_ledger_settle_one(ledger, entry))
			break;
}

void ds_ledger_settle(struct ds_ledger *ledger)
{
	struct ds_entry *entry, *next;

	if (list_empty_careful(&ledger->gone))
		return;
	spin_lock_bh(&ledger->lock);
	list_for_each_entry_safe(entry, next, &ledger->gone, list)
		ds_ledger_settle_one(ledger, entry);
	spin_unlock_bh(&ledger->lock);
}

static bool ds_entry_is_seldom(const struct ds_entry *entry)
{
	return atomic64_read(&entry->count) < DS_NEWCOMER;
}

/* Newcomers have an eighth of the room at least: in it they become regulars, or go in
 * the order in which they came. Where many have become regulars since somebody had to
 * go, the next time it is the turn of the others of these, and the last to come goes.
 */
static struct ds_entry *ds_side_newcomer(struct ds_side *side, u32 max)
{
	unsigned int left = DS_LEDGER_LOOKS;
	struct ds_entry *entry;

	while (side->n_newcomers > max / 8) {
		entry = list_first_entry(&side->newcomers, struct ds_entry, list);
		if (ds_entry_is_seldom(entry))
			return entry;
		if (!left--) {
			entry = list_last_entry(&side->newcomers,
						struct ds_entry, list);
			return ds_entry_is_seldom(entry) ? entry : NULL;
		}
		entry->regular = true;
		side->n_newcomers--;
		list_move_tail(&entry->list, &side->regulars);
	}
	return NULL;
}

/* Of some regulars the one that was there the longest time ago. The next time it is the
 * turn of others.
 */
static struct ds_entry *ds_side_regular(struct ds_side *side)
{
	struct ds_entry *entry, *oldest = NULL;
	unsigned int left = DS_LEDGER_LOOKS;

	while (left-- && !list_empty(&side->regulars)) {
		entry = list_first_entry(&side->regulars, struct ds_entry, list);
		if (entry == oldest)
			break;
		if (!oldest || time_before(READ_ONCE(entry->last),
					   READ_ONCE(oldest->last)))
			oldest = entry;
		list_move_tail(&entry->list, &side->regulars);
	}
	return oldest;
}

static bool ds_ledger_make_room(struct ds_ledger *ledger, struct ds_side *side)
{
	unsigned int left = DS_LEDGER_STEP;
	u32 max = READ_ONCE(ledger->max);
	struct ds_entry *entry;

	/* Who floods has to wait for RCU. */
	if (side->n >= max && ledger->n_gone >= DS_LEDGER_GONE)
		return false;
	/* More than one where the limit was lowered. */
	while (side->n && side->n >= max && left--) {
		entry = ds_side_newcomer(side, max) ?:
			ds_side_regular(side) ?:
			list_first_entry_or_null(&side->newcomers,
						 struct ds_entry, list);
		if (!entry)
			return false;
		ds_ledger_evict(ledger, side, entry);
	}
	return side->n < max;
}

/* Counting */

/* Under the lock. Returns whether it has become an entry. */
static bool ds_ledger_admit(struct ds_ledger *ledger, struct ds_side *side,
			    struct ds_entry *entry)
{
	if (!ds_entry_insert(side, entry))
		return false;
	list_add_tail(&entry->list, &side->newcomers);
	side->n_newcomers++;
	side->n++;
	return true;
}

/* Under the lock, for a peer without an entry. Returns its entry, or NULL. */
static struct ds_entry *ds_ledger_take_in(struct ds_ledger *ledger,
					  const struct ds_entry_key *key,
					  struct ds_entry *new, unsigned int n)
{
	struct ds_side *side = ds_entry_side(ledger, key);

	ds_ledger_settle_some(ledger);
	if (ds_ledger_make_room(ledger, side) && new) {
		atomic64_set(&new->count, n);
		if (ds_ledger_admit(ledger, side, new))
			return new;
	}
	ds_ledger_add_rest(ledger, key, n, jiffies, jiffies);
	return NULL;
}

static struct ds_entry *ds_ledger_meet(struct ds_ledger *ledger,
				       const struct ds_entry_key *key,
				       unsigned int n)
{
	struct ds_entry *entry, *new = NULL;

	if (READ_ONCE(ledger->max))
		new = ds_entry_alloc(key);

	spin_lock_bh(&ledger->lock);
	entry = ds_entry_lookup(key);
	if (entry)
		ds_entry_add(entry, n, jiffies);
	else if (ledger->on)
		entry = ds_ledger_take_in(ledger, key, new, n);
	spin_unlock_bh(&ledger->lock);

	if (new && new != entry)
		kmem_cache_free(ds_entry_cache, new);
	return entry;
}

struct ds_entry *ds_ledger_newcomer(struct ds_ledger *ledger,
				    const struct ds_entry_key *key,
				    struct sock *sk, unsigned int n)
{
	struct mem_cgroup *old;
	struct ds_entry *entry;

	if (!READ_ONCE(ledger->on))
		return NULL;

	/* While the table grows, it may be known. */
	entry = ds_entry_lookup(key);
	if (entry) {
		ds_entry_add(entry, n, jiffies);
		return entry;
	}
	old = ds_charge_begin(sk);
	entry = ds_ledger_meet(ledger, key, n);
	ds_charge_end(old);
	return entry;
}

void ds_ledger_take_back(const struct ds_entry_key *key)
{
	struct ds_entry *entry = ds_entry_lookup(key);

	if (entry)
		atomic64_dec_if_positive(&entry->count);
}

/* The ledger as a whole */

void ds_ledger_init(struct ds_ledger *ledger)
{
	struct ds_side *side;

	spin_lock_init(&ledger->lock);
	mutex_init(&ledger->emptying);
	ledger->on = true;
	ledger->max = DS_MAX_PEERS;
	INIT_LIST_HEAD(&ledger->rests);
	INIT_LIST_HEAD(&ledger->gone);
	for (side = ledger->side; side < ledger->side + DS_N_DIRECTIONS; side++) {
		xa_init_flags(&side->entries, XA_FLAGS_ALLOC | XA_FLAGS_LOCK_BH |
					      XA_FLAGS_ACCOUNT);
		INIT_LIST_HEAD(&side->newcomers);
		INIT_LIST_HEAD(&side->regulars);
	}
}

/* What was counted in these is forgotten. */
static void ds_ledger_drop(struct ds_ledger *ledger, struct list_head *doomed)
{
	unsigned int left = DS_LEDGER_STEP;
	struct ds_entry *entry;

	while (!list_empty(doomed)) {
		entry = list_first_entry(doomed, struct ds_entry, list);
		ds_entry_remove(ledger, entry);
		call_rcu(&entry->rcu, ds_entry_put_rcu);
		if (--left)
			continue;
		left = DS_LEDGER_STEP;
		spin_unlock_bh(&ledger->lock);
		cond_resched();
		spin_lock_bh(&ledger->lock);
	}
}

/* Those that come meanwhile are in other lists. */
void ds_ledger_empty(struct ds_ledger *ledger)
{
	struct ds_entry *entry, *next;
	struct ds_side *side;
	LIST_HEAD(doomed);

	mutex_lock(&ledger->emptying);
	spin_lock_bh(&ledger->lock);
	WRITE_ONCE(ledger->emptied, ledger->emptied + 1);
	list_splice_init(&ledger->rests, &doomed);
	ledger->n_rests = 0;
	for (side = ledger->side; side < ledger->side + DS_N_DIRECTIONS; side++) {
		memset(side->rest, 0, sizeof(side->rest));
		list_splice_init(&side->newcomers, &doomed);
		list_splice_init(&side->regulars, &doomed);
		side->n = 0;
		side->n_newcomers = 0;
	}
	list_for_each_entry_safe(entry, next, &ledger->gone, list) {
		list_del(&entry->list);
		call_rcu(&entry->rcu, ds_entry_put_rcu);
	}
	ledger->n_gone = 0;
	ds_ledger_drop(ledger, &doomed);
	spin_unlock_bh(&ledger->lock);
	mutex_unlock(&ledger->emptying);
}

void ds_ledger_set_on(struct ds_ledger *ledger, bool on)
{
	spin_lock_bh(&ledger->lock);
	WRITE_ONCE(ledger->on, on);
	spin_unlock_bh(&ledger->lock);
	if (!on)
		ds_ledger_empty(ledger);
}

void ds_ledger_set_max(struct ds_ledger *ledger, u32 max)
{
	WRITE_ONCE(ledger->max, max);
}

void ds_ledger_end(struct ds_ledger *ledger)
{
	struct ds_side *side;

	ds_ledger_set_on(ledger, false);
	for (side = ledger->side; side < ledger->side + DS_N_DIRECTIONS; side++)
		xa_destroy(&side->entries);
}

void ds_ledger_set_back(struct ds_ledger *ledger, unsigned long until,
			unsigned long by)
{
	struct ds_entry *entry;
	unsigned long index;
	struct ds_side *side;
	unsigned int i;

	for (side = ledger->side; side < ledger->side + DS_N_DIRECTIONS; side++) {
		rcu_read_lock();
		xa_for_each(&side->entries, index, entry) {
			ds_set_back(&entry->first, until, by);
			ds_set_back(&entry->last, until, by);
			if (!need_resched())
				continue;
			rcu_read_unlock();
			cond_resched();
			rcu_read_lock();
		}
		rcu_read_unlock();
		for (i = 0; i < DS_N_PROTOS; i++) {
			ds_set_back(&side->rest[i].first, until, by);
			ds_set_back(&side->rest[i].last, until, by);
		}
	}
}

int __init ds_ledger_module_init(void)
{
	int err;

	get_random_bytes(ds_entry_hash_key, sizeof(ds_entry_hash_key));
	/* Multiplied by an even number, different peers may be the same. */
	ds_entry_hash_key[1] |= 1;
	ds_entry_hash_key[3] |= 1;
	ds_entry_hash_key[4] |= 1;
	ds_entry_hash_key[5] |= 1;
	ds_entry_cache = KMEM_CACHE(ds_entry, SLAB_ACCOUNT);
	if (!ds_entry_cache)
		return -ENOMEM;
	err = rhashtable_init(&ds_entry_table, &ds_entry_params);
	if (err)
		kmem_cache_destroy(ds_entry_cache);
	return err;
}

void ds_ledger_module_exit(void)
{
	/* The ledgers have ended with their namespaces. Their last reference is put by
	 * a callback of RCU, which has another one free an entry.
	 */
	rcu_barrier();
	rcu_barrier();
	rhashtable_destroy(&ds_entry_table);
	kmem_cache_destroy(ds_entry_cache);
}
