/* SPDX-License-Identifier: GPL-2.0 */
/* Whose memory is taken for what a socket did. */

#ifndef _DUALSTACK_CHARGE_H
#define _DUALSTACK_CHARGE_H

struct mem_cgroup;
struct sock;

/**
 * ds_charge_begin() - have memory charged for a socket
 * @sk:		the socket
 *
 * What is allocated until ds_charge_end() is charged to whoever the memory of the socket
 * is charged to: in softirq whoever runs has nothing to do with it.
 *
 * Context: process or softirq; no sleeping until the end.
 *
 * Return: for ds_charge_end().
 */
struct mem_cgroup *ds_charge_begin(struct sock *sk);

/* Go back to @old, from ds_charge_begin(). */
void ds_charge_end(struct mem_cgroup *old);

#endif /* _DUALSTACK_CHARGE_H */
