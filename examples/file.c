/* SPDX-License-Identifier: Apache-2.0 */
/* Several processes that find each other by a file, without any launcher. Rank 0 greets the others.
 *
 *   for rank in 0 1 2; do ./file 3 $rank /tmp/my-job & done; wait
 *
 * On several hosts the file lies on a shared file system.
 */
#include <atoll/atoll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: file RANKS RANK PATH\n");
    return EXIT_FAILURE;
  }
  const int ranks = atoi(argv[1]);
  const int rank = atoi(argv[2]);
  atollComm_t comm = NULL;
  if (atollCommInitFile(&comm, ranks, rank, argv[3], NULL) != atollSuccess) {
    fprintf(stderr, "rank %d: %s\n", rank, atollGetLastError(NULL));
    return EXIT_FAILURE;
  }

  char greeting[64] = "";
  if (rank == 0) strcpy(greeting, "good morning from rank 0");
  if (atollBroadcast(greeting, greeting, sizeof greeting, atollChar, 0, comm, NULL) != atollSuccess) {
    fprintf(stderr, "rank %d: %s\n", rank, atollGetLastError(comm));
    return EXIT_FAILURE;
  }
  printf("rank %d of %d read: %s\n", rank, ranks, greeting);
  return atollCommDestroy(comm) == atollSuccess ? EXIT_SUCCESS : EXIT_FAILURE;
}
