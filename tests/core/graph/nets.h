/* nets.h - small jobs of all kinds for tests that hold for every graph. */
#pragma once

static const char residual[] =
    "[block unit(x, width, stride=1)]\n"
    "y    = x | conv(width, 3, stride=stride) | bn | relu | conv(width, 3) | bn\n"
    "skip = if(stride > 1 or channels(x) != width, x | conv(width, 1, stride=stride) | bn, x)\n"
    "out  = y + skip | relu\n"
    "[net m(image)]\n"
    "stem = image | conv(4) | bn | relu | maxpool(2)\n"
    "body = stem | unit(4) | unit(6, stride=2)\n"
    "both = concat(body, body | conv(3) | relu)\n"
    "aux  = stem | global_avgpool | linear(3)\n"
    "fc   = both | global_avgpool | linear(5)\n"
    "[step]\n"
    "y     = m(image)\n"
    "loss  = cross_entropy(y, label) + 0.3 * mse(y.aux, 0.25)\n"
    "train = m\n";

/* Every value is read by all that follow. */
static const char dense[] = "[net m(image)]\n"
                            "a = image | conv(3) | relu\n"
                            "b = concat(image, a) | conv(3) | relu\n"
                            "c = concat(image, a, b) | conv(3) | relu\n"
                            "d = concat(a, b, c) | avgpool(2)\n"
                            "fc = d | flatten | linear(5)\n"
                            "[step]\n"
                            "loss  = cross_entropy(m(image), label)\n"
                            "train = m\n";

/* PolyNet's poly-2: one set of parameters, three uses. */
static const char shared[] = "[block unit(x, width)]\n"
                             "y = x | conv(width) | bn | relu | conv(3)\n"
                             "[net m(image)]\n"
                             "f  = share(unit, 4)\n"
                             "p  = image + (image | f) + (image | f | f)\n"
                             "fc = p | global_avgpool | linear(5)\n"
                             "[step]\n"
                             "loss  = cross_entropy(m(image), label)\n"
                             "train = m\n";

/* Operators that may overwrite their input, one after the other. */
static const char in_place[] = "[net m(image)]\n"
                               "a = image | conv(4)\n"
                               "b = a | relu\n"
                               "c = b | dropout(0.3)\n"
                               "d = c | flatten\n"
                               "e = d | linear(6)\n"
                               "f = e + 1\n"
                               "g = f | sigmoid\n"
                               "h = g | linear(5) | dropout(0.2)\n"
                               "[step]\n"
                               "y     = m(image)\n"
                               "loss  = cross_entropy(y, label)\n"
                               "train = m\n";

/* Broadcasting, and values that are read twice by one operator. */
static const char arithmetic[] = "[net m(image)]\n"
                                 "a    = image | conv(4)\n"
                                 "gate = a | global_avgpool | linear(4) | sigmoid\n"
                                 "b    = a * gate\n"
                                 "c    = b + b - 2 * a\n"
                                 "d    = c * c / (gate + 2)\n"
                                 "e    = 1 - d | tanh\n"
                                 "f    = -e | elu\n"
                                 "fc   = f | flatten | linear(5) | softmax\n"
                                 "[step]\n"
                                 "y     = m(image)\n"
                                 "loss  = 2 * mse(y, 0.5) - mse(y.gate, 1) / 4 + l1(y.f, 0.1)\n"
                                 "train = m\n";

static const char unused_head[] = "[net m(image)]\n"
                                  "a   = image | conv(4) | relu | global_avgpool\n"
                                  "aux = a | linear(3)\n"
                                  "fc  = a | linear(5)\n"
                                  "[step]\n"
                                  "loss  = cross_entropy(m(image), label)\n"
                                  "train = m\n";

/* As in the manual of the language, with small nets. */
static const char gan[] =
    "[net generator(z)]\n"
    "body = z | linear(48) | bn | relu\n"
    "out  = body | linear(192) | tanh | reshape([8, 8, 3])\n"
    "[net discriminator(image)]\n"
    "body = image | conv(4, 3, stride=2) | leaky_relu | dropout(0.2)\n"
    "out  = body | flatten | linear(1)\n"
    "[step discriminator]\n"
    "fake  = generator(noise(10))\n"
    "loss  = bce(discriminator(image), 0.9) + bce(discriminator(detach(fake)), 0)\n"
    "train = discriminator\n"
    "[step generator]\n"
    "loss  = bce(discriminator(generator(noise(10))), 1)\n"
    "train = generator\n";

struct job_text {
    const char *text, *step;
};

static const struct job_text all_nets[] = {
    {residual, ""},   {dense, ""},       {shared, ""},           {in_place, ""},
    {arithmetic, ""}, {unused_head, ""}, {gan, "discriminator"}, {gan, "generator"},
};

enum { N_NETS = sizeof all_nets / sizeof *all_nets };
