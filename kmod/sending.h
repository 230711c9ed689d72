/* SPDX-License-Identifier: GPL-2.0 */
/* The calls of sendmsg() that have come past our look at IPV6_V6ONLY, and not yet past
 * the kernel's.
 */

#ifndef _DUALSTACK_SENDING_H
#define _DUALSTACK_SENDING_H

#include <linux/compiler.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/types.h>
#include <asm/barrier.h>

/* udpv6_sendmsg() reads IPV6_V6ONLY without a lock, and so does our hook at its
 * entry, some instructions earlier: what they see must not differ. A sender whose
 * hook has seen the option off is counted in ds_sending, from ds_sending_try() until
 * udp_sendmsg() is called, which is sure to follow; ds_v6only_store_held() does not
 * set the option meanwhile. A sender whose hook has seen it on may still find it
 * off: it is counted as refused until udp_sendmsg() is called, and then no more.
 */
DECLARE_PER_CPU(int, ds_sending);
extern bool ds_sending_held;

/* What the hook of udpv6_sendmsg() tells that of udp_sendmsg() about a call, in
 * msghdr.msg_inq, which only recvmsg() uses. Others who call these functions may
 * leave it uninitialised, so the values are unlikely ones.
 */
enum {
	DS_CALL_FREE,			/* does not read the option */
	DS_CALL_REFUSED = 0x64730001,	/* was counted as reject_send */
	DS_CALL_BETWEEN = 0x64730002,	/* saw it off; is in ds_sending */
};

/**
 * ds_sending_try() - be counted, unless nobody is to be for a moment
 *
 * Context: process.
 *
 * Return: true; the look at IPV6_V6ONLY comes next. false where ds_sending_hold() has
 * been called.
 */
static __always_inline bool ds_sending_try(void)
{
	bool held;

	/* Up and down on one processor: otherwise a sum of all might see one of the
	 * two and miss the other.
	 */
	preempt_disable_notrace();
	this_cpu_inc(ds_sending);
	smp_mb();	/* pairs with ds_sending_hold() */
	held = smp_load_acquire(&ds_sending_held);
	if (unlikely(held))
		this_cpu_dec(ds_sending);
	preempt_enable_notrace();
	return !held;
}

/**
 * ds_sending_begin() - be counted
 *
 * Context: process. Spins while it is held, which is not for long.
 */
static inline void ds_sending_begin(void)
{
	while (!ds_sending_try())
		while (READ_ONCE(ds_sending_held))
			cpu_relax();
}

/**
 * ds_sending_end() - be counted no more
 *
 * Context: any, on whatever processor.
 */
static __always_inline void ds_sending_end(void)
{
	this_cpu_dec(ds_sending);
}

/**
 * ds_sending_hold() - keep sendmsg() from reading IPV6_V6ONLY for a moment
 *
 * No call is then between ds_account_send() and the kernel, each of which reads
 * the option: both see the same.
 *
 * Context: any that may take a spinlock, with softirqs disabled. Senders spin
 * meanwhile, so ds_sending_release() has to follow at once, whatever this returns.
 *
 * Return: true; false where a sender is between the two, and the option must not be
 * set: try again later, it will not take long.
 */
bool ds_sending_hold(void);

/**
 * ds_sending_release() - let sendmsg() go on
 *
 * Context: as for ds_sending_hold(), after it.
 */
void ds_sending_release(void);

#endif /* _DUALSTACK_SENDING_H */
