/* SPDX-License-Identifier: GPL-2.0 */
/* Records whose sockets ended while nobody looked. */

#ifndef _DUALSTACK_SWEEP_H
#define _DUALSTACK_SWEEP_H

/**
 * ds_sweep() - end the records whose sockets are no more
 *
 * For when the end of a socket is hooked again: one that ended before may have
 * left its record, and its memory to another socket. A record is kept where the
 * kernel's tables have a socket with its address and cookie. The counts of any
 * other move to the sums of its namespace.
 *
 * A socket that is in none of these tables loses its record although it lives:
 * one without a port, or a TCP socket that is bound but neither listens nor is
 * connected. So does one that changes its place in the tables meanwhile. Its
 * next event makes it a new record.
 *
 * Context: process, may sleep. The caller sees to it that no record is made, and
 * that there is one sweep at a time. Sockets may end.
 */
void ds_sweep(void);

#endif /* _DUALSTACK_SWEEP_H */
