/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What goes wrong around dsctl: this program has malloc(), recvmsg() and some
 * others of its own, which come before libc's for the libraries as well.
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rnd.h"

#define FAULT_PLACES	1024

/**
 * struct fault_place - Something that may fail.
 * @stack: a number that stands for where that is, and how one got there.
 * @call: it is a call, else an allocation.
 * @number: which one it is, the first from there.
 */
struct fault_place {
	uint64_t stack;
	bool call;
	unsigned long number;
};

/**
 * struct fault_places - All there are.
 * @n: how many.
 * @v: these, in the order that they came.
 */
struct fault_places {
	size_t n;
	struct fault_place v[FAULT_PLACES];
};

/**
 * struct fault - What is to go wrong, and what did.
 * @rnd: where the choices come from.
 * @answers: change what the kernel answers, once in as many reads; 0: never.
 * @alloc: the allocation that fails, counted from 1; 0: none.
 * @alloc_rest: so do all after it.
 * @call: the call of a function in calls.c that fails, counted from 1; 0: none.
 * @error: with this errno.
 * @trace: tell where that is, on stderr.
 * @polls: how often poll() is waited in before SIGTERM comes.
 * @traffic: called before each of these, so that there is something to see.
 * @allocs: allocations so far.
 * @calls: calls so far.
 * @changed: answers that were.
 * @places: where allocations and calls come from, the first of each; NULL: not
 *	to be known.
 *
 * It lies in memory that parent and child share.
 */
struct fault {
	struct rnd rnd;
	unsigned int answers;
	unsigned long alloc;
	bool alloc_rest;
	unsigned long call;
	int error;
	bool trace;
	unsigned int polls;
	void (*traffic)(void);
	unsigned long allocs;
	unsigned long calls;
	unsigned long changed;
	struct fault_places *places;
};

/* dsctl's main(), by a name of its own. */
int dsctl_main(int argc, char **argv);

/* From now on in this process; NULL: no more. */
void fault_arm(struct fault *fault);

/* Whether this call is to fail, with errno set. */
bool fault_call_fails(void);

/* Whether an allocation was made to fail. */
static inline bool fault_alloc_failed(const struct fault *fault)
{
	return fault->alloc && fault->allocs >= fault->alloc;
}

#endif /* FAULT_H */
