/* dataset_marks.h - what a dataset calls the classes of its boxes, for those who draw them. */
#pragma once
#include "io/dataset/dataset.h"
#include "io/image/mark.h"

/* The field of boxes: that of this name, else the first of boxes; -1: there is none. */
int dataset_find_boxes(const struct dataset *ds);

/* The name of a class of dataset_find_boxes; its number, in `number`, where it has none.
 *   ds  a const struct dataset; NULL: none is known */
const char *dataset_mark_name(const void *ds, int class, char number[MARK_NUMBER]);
