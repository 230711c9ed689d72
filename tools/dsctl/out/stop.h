/* SPDX-License-Identifier: GPL-2.0 */
/* How a command ends that goes on until the user ends it. */
#ifndef DSCTL_STOP_H
#define DSCTL_STOP_H

/**
 * stop_on_signal() - Have SIGINT and SIGTERM end the program as if all were done.
 * @restore: what to do before that, as a signal handler may; SIGHUP and SIGQUIT end it
 *	     likewise then. Or NULL.
 *
 * It ends at once, even while a write waits for a slow reader: so all that is printed has
 * to be written before the command waits for more.
 */
void stop_on_signal(void (*restore)(void));

/**
 * stop_not() - Have these signals do again what they do by themselves.
 */
void stop_not(void);

#endif /* DSCTL_STOP_H */
