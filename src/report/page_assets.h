/* page_assets.h - what pages are made of, as the build has put it into the program:
 * cmake/page.cmake. Those of uPlot are there only where the build found it: DLTRAIN_UPLOT. */
#pragma once
#include <stddef.h>

extern const unsigned char page_asset_template[], page_asset_style[], page_asset_scripts[];
extern const size_t page_asset_template_len, page_asset_style_len, page_asset_scripts_len;

extern const unsigned char page_asset_uplot_script[], page_asset_uplot_style[],
    page_asset_uplot_licence[];
extern const size_t page_asset_uplot_script_len, page_asset_uplot_style_len,
    page_asset_uplot_licence_len;
