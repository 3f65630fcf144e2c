/* checkpoint_private.h - what the checkpoint*.c files know of the bytes of a file. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { CHECKPOINT_VERSION = 1, CHECKPOINT_DIGITS = 16 };

/* The attribute of the file ends in its hash, over all bytes while these digits are "0". */
#define CHECKPOINT_MARK "dltrain-xxh3-64:"

/* That of a dataset begins so: JSON, so that names of all kinds end where they should. Found among
 * the bytes of a file that HDF5 had better not look at, it says where the numbers lie. */
#define CHECKPOINT_RECORD "{\"xxh3_64\":\""

/* Where the digits of the file are, or NULL. */
char *checkpoint_digits(char *bytes, size_t len);

void checkpoint_hash(const void *bytes, size_t len, char text[CHECKPOINT_DIGITS + 1]);

/* What is wrong with bytes[len], whose hash is not what it should be: "tensor PATH is damaged" ...
 */
enum { CHECKPOINT_DAMAGE = 512 };
void checkpoint_damage(const char *bytes, size_t len, char text[CHECKPOINT_DAMAGE]);
