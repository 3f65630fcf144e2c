/* predict_h5.h - predictions as datasets of an HDF5 file, for predict_out.c. */
#pragma once
#include "cmd/predict.h"

/* The attribute of the file that says what it is. */
#define PREDICT_H5_MARK "dltrain_predictions"

int predict_h5_open(struct predict_out *o, struct predict *p, struct err *err);
int predict_h5_take(struct predict *p, const struct predicted *v, struct err *err);
int predict_h5_write(struct predict_out *o, const struct predict *p, const void *bytes, size_t len,
                     struct err *err);
int predict_h5_finish(struct predict_out *o, const struct predict *p, struct err *err);
void predict_h5_release(struct predict_out *o);
