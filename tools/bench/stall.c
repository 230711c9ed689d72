// SPDX-License-Identifier: GPL-2.0
/*
 * How long a command takes, and for how long it keeps its processor from a task
 * of highest priority that wakes up every 100 microseconds.
 *
 *   stall COMMAND...
 *
 * Prints both in microseconds.
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_NS	100000
#define SECOND_NS	1000000000L

static int64_t since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - then->tv_sec) * SECOND_NS +
	       now.tv_nsec - then->tv_nsec;
}

int main(int argc, char **argv)
{
	struct sched_param fifo = { .sched_priority = 99 };
	struct timespec start, wake;
	int64_t late, latest = 0;
	int status;
	pid_t pid;

	if (argc < 2)
		return 2;
	pid = fork();
	if (!pid) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || mlockall(MCL_CURRENT | MCL_FUTURE) ||
	    sched_setscheduler(0, SCHED_FIFO, &fifo)) {
		perror("stall");
		return 1;
	}

	clock_gettime(CLOCK_MONOTONIC, &start);
	wake = start;
	while (!waitpid(pid, &status, WNOHANG)) {
		wake.tv_nsec += PERIOD_NS;
		if (wake.tv_nsec >= SECOND_NS) {
			wake.tv_nsec -= SECOND_NS;
			wake.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL);
		late = since(&wake);
		if (late > latest)
			latest = late;
		/* The next period is one after now. */
		clock_gettime(CLOCK_MONOTONIC, &wake);
	}

	printf("%.0f %.0f\n", since(&start) / 1e3, latest / 1e3);
	return !WIFEXITED(status) || WEXITSTATUS(status);
}
