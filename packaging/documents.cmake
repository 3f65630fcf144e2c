# Write the manual pages, packed, and the completions that PROGRAM prints into the folder OUT. A program
# for other processors than this one is none that can be asked: it is installed without them.
set(ENV{ASAN_OPTIONS} detect_leaks=0)
file(REMOVE_RECURSE ${OUT})
file(MAKE_DIRECTORY ${OUT})
foreach(document --man.dltrain.dltrain.1 --man.dltrain-job.dltrain-job.5
                 --completion.bash.dltrain --completion.zsh._dltrain)
  string(REGEX MATCH "^([a-z-]+)[.]([a-z-]+)[.](.*)$" all ${document})
  set(name ${CMAKE_MATCH_3})
  execute_process(COMMAND ${PROGRAM} help ${CMAKE_MATCH_1} ${CMAKE_MATCH_2}
                  OUTPUT_FILE ${OUT}/${name} RESULT_VARIABLE failed)
  if(failed)
    file(REMOVE_RECURSE ${OUT})
    message("the program cannot run here: there are no manual pages and no completions of it")
    return()
  endif()
  if(name MATCHES "[.][1-9]$")
    execute_process(COMMAND ${GZIP} -9nf ${OUT}/${name} COMMAND_ERROR_IS_FATAL ANY)
  endif()
endforeach()
