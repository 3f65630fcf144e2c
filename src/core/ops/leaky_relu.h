/* leaky_relu.h - its arguments, for the operators that compute it in the same pass as others. */
#pragma once

struct leaky_relu {
    double slope;
};
