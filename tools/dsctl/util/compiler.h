/* SPDX-License-Identifier: GPL-2.0 */
/* What a compiler can be told. */
#ifndef DSCTL_COMPILER_H
#define DSCTL_COMPILER_H

/* The arguments from number @args on belong to the format, which is number @fmt. */
#define __printf(fmt, args) \
	__attribute__((__format__ \
		       (__printf__, fmt, args)))

#endif /* DSCTL_COMPILER_H */
