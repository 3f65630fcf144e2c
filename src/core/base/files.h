/* files.h - how many files and connections a process may have. */
#pragma once

/* Let so many be open more than may be now: systems allow 1024 unless asked for more. Where they do
 * not allow it, opening will tell. */
void files_allow(int n);
