/* page_base64.h - bytes as letters, RFC 4648. */
#pragma once
#include <stddef.h>

/* `before`, then bytes[len] in base64: for the caller to free; NULL where there is no memory. */
char *page_base64(const char *before, const unsigned char *bytes, size_t len);
