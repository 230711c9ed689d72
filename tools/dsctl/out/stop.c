// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "out/err.h"
#include "out/stop.h"
#include "util/array.h"

/* The last two only where there is something to restore. */
static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* Global, as signals are. */
static void (*on_stop)(void);
static atomic_bool held, asked;

static void on_signal(int sig)
{
	(void)sig;
	if (held && !asked) {
		asked = true;
		return;
	}
	if (on_stop)
		on_stop();
	_exit(EXIT_OK);
}

static void catch(void (*handler)(int sig), size_t n)
{
	struct sigaction action = {
		.sa_handler = handler,
		.sa_flags = SA_RESTART,
	};
	size_t i;

	sigfillset(&action.sa_mask);
	for (i = 0; i < n; i++)
		sigaction(signals[i], &action, NULL);
}

void stop_on_signal(void (*restore)(void))
{
	on_stop = restore;
	catch(on_signal, restore ? ARRAY_SIZE(signals) : 2);
}

void stop_hold(void)
{
	held = true;
}

/* What comes between these two lines ends it by itself. */
void stop_release(int status)
{
	held = false;
	if (asked)
		_exit(status);
}

void stop_not(void)
{
	catch(SIG_DFL, on_stop ? ARRAY_SIZE(signals) : 2);
	on_stop = NULL;
}
