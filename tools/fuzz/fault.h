/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What goes wrong around dsctl: this program has malloc(), recvmsg() and some
 * others of its own, which come before libc's for the libraries as well.
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>

#include "rnd.h"

/**
 * struct fault - What is to go wrong, and what did.
 * @rnd: where the choices come from.
 * @answers: change what the kernel answers, once in as many reads; 0: never.
 * @alloc: the allocation that fails, counted from 1; 0: none.
 * @alloc_rest: so do all after it.
 * @trace: tell where that is, on stderr.
 * @polls: how often poll() is waited in before SIGTERM comes.
 * @traffic: called before each of these, so that there is something to see.
 * @allocs: allocations so far.
 * @changed: answers that were.
 *
 * It lies in memory that parent and child share.
 */
struct fault {
	struct rnd rnd;
	unsigned int answers;
	unsigned long alloc;
	bool alloc_rest;
	bool trace;
	unsigned int polls;
	void (*traffic)(void);
	unsigned long allocs;
	unsigned long changed;
};

/* dsctl's main(), by a name of its own. */
int dsctl_main(int argc, char **argv);

/* From now on in this process; NULL: no more. */
void fault_arm(struct fault *fault);

/* Whether an allocation was made to fail. */
static inline bool fault_alloc_failed(const struct fault *fault)
{
	return fault->alloc && fault->allocs >= fault->alloc;
}

#endif /* FAULT_H */
