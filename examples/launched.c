/* SPDX-License-Identifier: Apache-2.0 */
/* A job as a launcher starts it: the environment says who this is. The ranks exchange one row of a matrix each.
 *
 *   mpirun -n 4 ./launched          any MPI's; Atoll need not be built for it
 *   atoll run -n 4 -- ./launched    without MPI
 *   srun -n 4 ./launched            under Slurm
 */
#include <atoll/atoll.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  atollComm_t comm = NULL;
  if (atollCommInitEnv(&comm, NULL) != atollSuccess) {
    fprintf(stderr, "%s\n", atollGetLastError(NULL));
    return EXIT_FAILURE;
  }
  int rank = 0;
  int ranks = 0;
  atollCommUserRank(comm, &rank);
  atollCommCount(comm, &ranks);

  int* row = malloc(sizeof *row * (size_t)ranks);
  int* column = malloc(sizeof *column * (size_t)ranks);
  if (row == NULL || column == NULL) return EXIT_FAILURE;
  for (int i = 0; i < ranks; ++i) row[i] = rank * 100 + i;
  /* All-to-all of single elements transposes the matrix whose rows the ranks hold. */
  if (atollAllToAll(row, column, 1, atollInt32, comm, NULL) != atollSuccess) {
    fprintf(stderr, "rank %d: %s\n", rank, atollGetLastError(comm));
    return EXIT_FAILURE;
  }
  for (int i = 0; i < ranks; ++i) {
    if (column[i] != i * 100 + rank) {
      fprintf(stderr, "rank %d: element %d is %d\n", rank, i, column[i]);
      return EXIT_FAILURE;
    }
  }
  printf("rank %d of %d has its column\n", rank, ranks);
  free(row);
  free(column);
  return atollCommDestroy(comm) == atollSuccess ? EXIT_SUCCESS : EXIT_FAILURE;
}
