# uPlot, which draws the curves of the pages that `dltrain report` makes: fetched once into build/vendor, or taken from
# -DDLTRAIN_UPLOT=FILE.tgz where there is no network. Without it everything is built but its pages, and no error.
set(DLTRAIN_UPLOT "" CACHE FILEPATH "uplot-1.6.32.tgz of npm, where it cannot be fetched")
set(uplot_url https://registry.npmjs.org/uplot/-/uplot-1.6.32.tgz)
set(uplot_sha512 2883159c6ebccefbb95d751b0b82d010f9e1c0ec41b8bc96d401eda66e882935)
string(APPEND uplot_sha512 c89a46cb824332fa369b8cb8122cc6ac36e186cd09bf7a9ded3a4c93c6989023)
set(uplot_vendor ${CMAKE_SOURCE_DIR}/build/vendor)
set(uplot_folder ${uplot_vendor}/uplot-1.6.32)
set(uplot_files ${uplot_folder}/package/dist/uPlot.iife.min.js
    ${uplot_folder}/package/dist/uPlot.min.css ${uplot_folder}/package/LICENSE)

# Unpack the archive where it is the one that was meant; a download that is not is deleted.
function(uplot_unpack archive)
  file(SHA512 ${archive} found)
  if(NOT found STREQUAL uplot_sha512)
    message(WARNING "${archive} is not uplot-1.6.32.tgz: found SHA-512 ${found}, expected "
                    "${uplot_sha512}")
    return()
  endif()
  file(ARCHIVE_EXTRACT INPUT ${archive} DESTINATION ${uplot_folder})
endfunction()

function(uplot_is_there out)
  set(${out} TRUE PARENT_SCOPE)
  foreach(file ${uplot_files})
    if(NOT EXISTS ${file})
      set(${out} FALSE PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

uplot_is_there(UPLOT_FOUND)
if(NOT UPLOT_FOUND)
  if(DLTRAIN_UPLOT AND NOT EXISTS ${DLTRAIN_UPLOT})
    message(WARNING "DLTRAIN_UPLOT: there is no ${DLTRAIN_UPLOT}")
  elseif(DLTRAIN_UPLOT)
    uplot_unpack(${DLTRAIN_UPLOT})
  else()
    set(download ${uplot_vendor}/uplot.${CMAKE_BUILD_TYPE}.tgz)
    # No EXPECTED_HASH: a proxy's page in its place would fail the whole build.
    file(DOWNLOAD ${uplot_url} ${download} STATUS status TIMEOUT 60 INACTIVITY_TIMEOUT 10
         TLS_VERIFY ON)
    list(GET status 0 failed)
    if(NOT failed)
      uplot_unpack(${download})
    endif()
    file(REMOVE ${download})
  endif()
  uplot_is_there(UPLOT_FOUND)
endif()
if(NOT UPLOT_FOUND)
  message(STATUS "uPlot cannot be had: dltrain is built without `dltrain report`; fetch ${uplot_url} "
                 "elsewhere and configure with -DDLTRAIN_UPLOT=FILE.tgz")
endif()
