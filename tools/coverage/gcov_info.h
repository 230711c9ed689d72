/* SPDX-License-Identifier: GPL-2.0 */
/* What gcc makes of -fprofile-arcs, from version 12 on. */

#ifndef _DUALSTACK_GCOV_INFO_H
#define _DUALSTACK_GCOV_INFO_H

#include <linux/types.h>

#define GCOV_COUNTERS	(__GNUC__ >= 14 ? 9 : 8)

struct gcov_ctr_info {
	unsigned int num;
	u64 *values;
};

struct gcov_fn_info {
	const struct gcov_info *key;
	unsigned int ident;
	unsigned int lineno_checksum;
	unsigned int cfg_checksum;
	struct gcov_ctr_info ctrs[];
};

struct gcov_info {
	unsigned int version;
	struct gcov_info *next;
	unsigned int stamp;
	unsigned int checksum;
	const char *filename;
	void *merge[GCOV_COUNTERS];
	unsigned int n_functions;
	struct gcov_fn_info **functions;
};

extern const struct gcov_info *ds_gcov_first[];

#endif /* _DUALSTACK_GCOV_INFO_H */
