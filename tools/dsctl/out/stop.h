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
 * to be written before the command waits for more. stop_hold() has it end later.
 */
void stop_on_signal(void (*restore)(void));

/**
 * stop_hold() - Begin what is to be whole when the program ends by such a signal.
 *
 * The first one is remembered; the next one ends it at once, whatever is whole.
 */
void stop_hold(void);

/**
 * stop_release() - That is whole, and written: end the program, if it was to end meanwhile.
 * @status: the enum exit_code to end it with.
 */
void stop_release(int status);

/**
 * stop_not() - Have these signals do again what they do by themselves.
 */
void stop_not(void);

#endif /* DSCTL_STOP_H */
