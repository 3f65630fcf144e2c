# What pages are made of, as arrays in the room report: our own template, style and scripts, in the order of their
# names, and uPlot's.
file(GLOB page_scripts CONFIGURE_DEPENDS src/report/page/*.js)
list(SORT page_scripts)
set(page_all ${CMAKE_BINARY_DIR}/page/scripts.js)
set(page_names template style scripts)
set(page_files ${CMAKE_SOURCE_DIR}/src/report/page/page.html
    ${CMAKE_SOURCE_DIR}/src/report/page/page.css ${page_all})
if(UPLOT_FOUND)
  list(APPEND page_names uplot_script uplot_style uplot_licence)
  list(APPEND page_files ${uplot_files})
  target_compile_definitions(report PRIVATE DLTRAIN_UPLOT)
endif()
set(page_assets ${CMAKE_BINARY_DIR}/page/page_assets.c)
add_custom_command(
  OUTPUT ${page_assets}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/page
  COMMAND ${CMAKE_COMMAND} -E cat ${page_scripts} > ${page_all}
  COMMAND ${CMAKE_COMMAND} -DOUT=${page_assets} -DHEADER=report/page_assets.h
          "-DNAMES=${page_names}" "-DFILES=${page_files}" -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${page_scripts} src/report/page/page.html src/report/page/page.css cmake/embed.cmake
  VERBATIM)
target_sources(report PRIVATE ${page_assets})
