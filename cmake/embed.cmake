# Files as arrays of C, run as a script when one of them has changed:
#   cmake -DOUT=FILE.c -DHEADER=NAME.h -DNAMES="a;b" -DFILES="a.css;b.js" -P embed.cmake
# gives, for every name, const unsigned char page_asset_NAME[] and const size_t page_asset_NAME_len.
set(text "/* Made at build time. */\n#include \"${HEADER}\"\n")
list(LENGTH NAMES n)
math(EXPR last "${n} - 1")
foreach(i RANGE ${last})
  list(GET NAMES ${i} name)
  list(GET FILES ${i} file)
  file(READ ${file} bytes HEX)
  string(LENGTH "${bytes}" digits)
  math(EXPR len "${digits} / 2")
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND text "const unsigned char page_asset_${name}[] = {${bytes}0};\n"
                     "const size_t page_asset_${name}_len = ${len};\n")
endforeach()
file(WRITE ${OUT} "${text}")
