/* SPDX-License-Identifier: GPL-2.0 */
/* Included first in main.c: what it calls the module's init and exit are called
 * by those of gcov.c, so that the counters outlast them.
 */

#ifndef _DUALSTACK_GCOV_H
#define _DUALSTACK_GCOV_H

#include <linux/module.h>

extern initcall_t ds_gcov_init;
extern exitcall_t ds_gcov_exit;

#undef module_init
#define module_init(init)	initcall_t ds_gcov_init __initdata = init

#undef module_exit
#define module_exit(exit)	exitcall_t ds_gcov_exit __exitdata = exit

#endif /* _DUALSTACK_GCOV_H */
