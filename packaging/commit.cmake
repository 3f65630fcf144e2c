# Write OUT, a C file with the commit of the tree SOURCE and its day, unless it is as it should be.
# Where SOURCE is no tree of its own in git, the commit is "" and the day that of the build, or of
# SOURCE_DATE_EPOCH.
set(commit "")
string(TIMESTAMP day "%Y-%m-%d" UTC)

# git(RESULT ARGUMENT...)
function(git result)
  execute_process(COMMAND git -C ${SOURCE} ${ARGN} OUTPUT_VARIABLE text RESULT_VARIABLE failed
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(failed)
    set(text "")
  endif()
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

git(top rev-parse --show-toplevel)
file(REAL_PATH ${SOURCE} real)
if(top STREQUAL real)
  git(commit describe --always --dirty --abbrev=12 --exclude=*)
  git(day log -1 --format=%cs)
endif()

set(text "#include \"cmd/version.h\"\n\n")
string(APPEND text "const char version_commit[] = \"${commit}\";\n")
string(APPEND text "const char version_day[] = \"${day}\";\n")
set(old "")
if(EXISTS ${OUT})
  file(READ ${OUT} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${OUT} "${text}")
endif()
