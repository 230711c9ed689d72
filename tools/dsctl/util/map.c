// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/map.h"

struct map_slot {
	uint64_t key;
	uint32_t value;		/* MAP_NONE: free */
};

int map_init(struct map *map, size_t n)
{
	map->bits = 4;
	while ((size_t)1 << map->bits < 2 * n)
		map->bits++;
	map->slots = malloc(sizeof(*map->slots) << map->bits);
	if (!map->slots)
		return -ENOMEM;
	/* Every byte set makes MAP_NONE of every value. */
	memset(map->slots, 0xff, sizeof(*map->slots) << map->bits);
	return 0;
}

/* The slot of the key, or the free one where it belongs. */
static struct map_slot *map_slot(const struct map *map, uint64_t key)
{
	size_t mask = ((size_t)1 << map->bits) - 1;
	/* Cookies and inodes count up: spread them (Fibonacci hashing). */
	size_t i = (key * 0x9e3779b97f4a7c15ULL) >> (64 - map->bits);

	while (map->slots[i].value != MAP_NONE && map->slots[i].key != key)
		i = (i + 1) & mask;
	return &map->slots[i];
}

uint32_t map_set(struct map *map, uint64_t key, uint32_t value)
{
	struct map_slot *slot = map_slot(map, key);

	if (slot->value == MAP_NONE) {
		slot->key = key;
		slot->value = value;
	}
	return slot->value;
}

uint32_t map_swap(struct map *map, uint64_t key, uint32_t value)
{
	struct map_slot *slot = map_slot(map, key);
	uint32_t old = slot->value;

	slot->key = key;
	slot->value = value;
	return old;
}

uint32_t map_get(const struct map *map, uint64_t key)
{
	return map_slot(map, key)->value;
}

void map_free(struct map *map)
{
	free(map->slots);
	map->slots = NULL;
}
