/* foreign.h - what others call our words: for those who know PyTorch, Keras or Horovod. */
#pragma once

/* Our word for BatchNorm2d, learning_rate or Dense, or NULL. Case, `_`, `-`, `.` and a dimension at
 * the end (2d) make no difference. A name may have several meanings (dropout's p is one of
 * drop_path too): `i` counts them. */
const char *foreign_meaning(const char *name, int i);

/* The i-th meaning of the table, NULL past its end: for tests that all of them exist. */
const char *foreign_at(int i);
