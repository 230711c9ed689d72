// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the processes share, and how they come to a slot.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "torture.h"

struct shared *shared;
bool wanted[PARTS];
int served[CLIENTS + 1];
__u64 rnd_state;

void fail(const char *format, ...)
{
	va_list ap;

	add(&shared->failures, 1);
	add(&shared->stop, 1);
	printf("# ");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

bool open_family(struct fam *ds)
{
	int err = fam_open(ds);

	if (err)
		fail("cannot open the family: %s", strerror(-err));
	return !err;
}

void nap_us(unsigned int us)
{
	usleep(us);
}

struct slot *hold(int i)
{
	struct slot *s = &shared->slots[i];
	int gate = load(&s->gate);

	do {
		if (!(gate & OPEN))
			return NULL;
	} while (!__atomic_compare_exchange_n(&s->gate, &gate, gate + 1, false,
					      __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	return s;
}

void let_go(struct slot *s)
{
	add(&s->gate, -1);
}

enum outcome outcome4(const struct slot *s)
{
	switch (s->kind) {
	case DUAL:
	case V6ONLY:
		return s->toggled ? EITHER :
		       s->kind == DUAL ? SERVED : REFUSED;
	case ADDR6:
		return REFUSED;
	default:
		return SERVED;
	}
}

enum outcome outcome6(const struct slot *s)
{
	switch (s->kind) {
	case V4:
		return REFUSED;
	case MAPPED:	/* refused, for nobody's account */
		return NOT_ASKED;
	default:
		return SERVED;
	}
}

int refusal(const struct slot *s, bool v4)
{
	if (!v4)
		return C(REJECT_V4ONLY);
	return s->kind == ADDR6 ? C(REJECT_ADDR) : C(REJECT_V6ONLY);
}
