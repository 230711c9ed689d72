/* SPDX-License-Identifier: GPL-2.0 */
/* A hash from numbers to array indices, for joins that stay O(n). */
#ifndef DSCTL_MAP_H
#define DSCTL_MAP_H

#include <stddef.h>
#include <stdint.h>

#define MAP_NONE UINT32_MAX

/**
 * struct map - Open addressing, at most half full, so never rehashed.
 * @slots: keys with their values.
 * @bits: logarithm of the number of slots.
 */
struct map {
	struct map_slot *slots;
	unsigned int bits;
};

/**
 * map_init() - Make an empty map.
 * @map: the map.
 * @n: how many keys it will hold at most.
 *
 * Return: 0, or -ENOMEM.
 */
int map_init(struct map *map, size_t n);

/**
 * map_set() - Remember a value for a key that has none yet.
 * @map: the map.
 * @key: the key.
 * @value: anything but MAP_NONE.
 *
 * Return: @value, or the value that the key had before and keeps.
 */
uint32_t map_set(struct map *map, uint64_t key, uint32_t value);

/**
 * map_swap() - Remember a value for a key in the place of what it has.
 * @map: the map.
 * @key: the key.
 * @value: anything but MAP_NONE.
 *
 * Return: the value that the key had before, or MAP_NONE.
 */
uint32_t map_swap(struct map *map, uint64_t key, uint32_t value);

/**
 * map_get() - Look a key up.
 * @map: the map.
 * @key: the key.
 *
 * Return: its value, or MAP_NONE.
 */
uint32_t map_get(const struct map *map, uint64_t key);

/**
 * map_free() - Free what a map holds.
 * @map: the map; zeroed memory is fine.
 */
void map_free(struct map *map);

#endif /* DSCTL_MAP_H */
