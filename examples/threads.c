/* SPDX-License-Identifier: Apache-2.0 */
/* One process with four ranks, each a thread: every rank brings a number and all of them get the sum.
 *
 *   ./threads
 */
#include <atoll/atoll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { kRanks = 4 };

static void* run_rank(void* argument) {
  atollComm_t comm = argument;
  int rank = 0;
  if (atollCommUserRank(comm, &rank) != atollSuccess) return NULL;
  double number = rank + 1;
  double sum = 0;
  if (atollAllReduce(&number, &sum, 1, atollDouble, atollSum, comm, NULL) != atollSuccess) {
    fprintf(stderr, "rank %d: %s\n", rank, atollGetLastError(comm));
    return NULL;
  }
  printf("rank %d brought %g and sees the sum %g\n", rank, number, sum);
  return comm; /* anything but NULL: it went well */
}

int main(void) {
  atollComm_t comms[kRanks];
  if (atollCommInitAll(comms, kRanks) != atollSuccess) {
    fprintf(stderr, "%s\n", atollGetLastError(NULL));
    return EXIT_FAILURE;
  }
  pthread_t threads[kRanks];
  for (int i = 0; i < kRanks; ++i) {
    if (pthread_create(&threads[i], NULL, run_rank, comms[i]) != 0) abort();
  }
  int failures = 0;
  for (int i = 0; i < kRanks; ++i) {
    void* outcome = NULL;
    pthread_join(threads[i], &outcome);
    if (outcome == NULL) ++failures;
  }
  for (int i = 0; i < kRanks; ++i) atollCommDestroy(comms[i]);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
