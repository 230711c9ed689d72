// SPDX-License-Identifier: GPL-2.0
/*
 * Attach all programs of a BPF object until killed.
 *
 *   peer OBJECT
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct bpf_program *prog;
	struct bpf_object *obj;

	if (argc != 2) {
		fprintf(stderr, "usage: peer OBJECT\n");
		return 1;
	}

	obj = bpf_object__open_file(argv[1], NULL);
	if (!obj || bpf_object__load(obj)) {
		fprintf(stderr, "peer: cannot load %s\n", argv[1]);
		return 1;
	}
	bpf_object__for_each_program(prog, obj) {
		if (!bpf_program__attach(prog)) {
			fprintf(stderr, "peer: cannot attach %s\n",
				bpf_program__name(prog));
			return 1;
		}
	}

	puts("attached");
	fflush(stdout);
	pause();
	return 0;
}
