// SPDX-License-Identifier: GPL-2.0
/* Ports where IPV6_V6ONLY is being switched off while packets are on their way. */

#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>

#include "window.h"

#define DS_WINDOW_NOW	BIT(31)	/* the change is being made */

static u32 ds_window_key(enum ds_proto proto, u16 port)
{
	return (proto + 1) << 16 | port;
}

void ds_windows_init(struct ds_windows *windows)
{
	unsigned int i;

	mutex_init(&windows->mutex);
	for (i = 0; i < DS_N_WINDOWS; i++)
		windows->window[i].gp = get_completed_synchronize_rcu();
}

/* A window is open while its option changes, and until its grace period has ended,
 * which is looked up each time: nothing is done at the end.
 */
static bool ds_window_has(const struct ds_window *window, u32 key)
{
	/* pairs with ds_window_end() */
	u32 was = smp_load_acquire(&window->key);

	if (was == (key | DS_WINDOW_NOW))
		return true;
	if (was != key || poll_state_synchronize_rcu(READ_ONCE(window->gp)))
		return false;

	/* The window may have been taken for another port since, and the grace
	 * period be that one's. Pairs with ds_window_begin().
	 */
	smp_rmb();
	return (READ_ONCE(window->key) & ~DS_WINDOW_NOW) == key;
}

bool ds_window_is_open(const struct ds_windows *windows, enum ds_proto proto,
		       u16 port)
{
	u32 key = ds_window_key(proto, port);
	unsigned int i;

	/* The option was read before; pairs with ds_window_begin(). */
	smp_rmb();
	for (i = 0; i < DS_N_WINDOWS; i++)
		if (ds_window_has(&windows->window[i], key))
			return true;
	return false;
}

/* Take the window that the port has, if any, or one that is closed by now. */
struct ds_window *ds_window_begin(struct ds_windows *windows,
				  enum ds_proto proto, u16 port)
{
	struct ds_window *window = NULL, *w;
	u32 key = ds_window_key(proto, port);

	for (w = windows->window; w < windows->window + DS_N_WINDOWS; w++) {
		if (w->key == key) {
			window = w;
			break;
		}
		if (!window && poll_state_synchronize_rcu(w->gp))
			window = w;
	}
	if (!window)
		return NULL;

	WRITE_ONCE(window->key, key | DS_WINDOW_NOW);
	/* Before the option is cleared, and before the grace period is another;
	 * pairs with ds_window_is_open() and ds_window_has().
	 */
	smp_wmb();
	return window;
}

void ds_window_end(struct ds_window *window, bool changed)
{
	/* Packets that saw the option set are gone when this has ended. */
	if (changed)
		WRITE_ONCE(window->gp, start_poll_synchronize_rcu());
	/* pairs with ds_window_has() */
	smp_store_release(&window->key, window->key & ~DS_WINDOW_NOW);
}
