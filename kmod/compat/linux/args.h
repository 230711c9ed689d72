/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_LINUX_ARGS_H
#define _DUALSTACK_COMPAT_LINUX_ARGS_H

#ifdef DS_NO_LINUX_ARGS_H
#include <linux/kernel.h>
#else
#include_next <linux/args.h>
#endif

#endif /* _DUALSTACK_COMPAT_LINUX_ARGS_H */
