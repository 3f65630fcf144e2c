#define isa_avx512 isa_wide
#include "core/math/isa/avx512.c"
