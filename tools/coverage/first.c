// SPDX-License-Identifier: GPL-2.0
/* The beginning of the section in which each object names its counters. */
#include <linux/compiler.h>

#include "gcov_info.h"

const struct gcov_info *ds_gcov_first[1] __section(".gcov_info") __used;
