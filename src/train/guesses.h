/* guesses.h - what was guessed of the data of a run, said before it starts. */
#pragma once
#include "train/event.h"
#include "train/feeds.h"

/* Note every guess about the training data, and those about the validation data that it does not
 * share: "/train/x: ... is taken for ...; if not, ...". Local. */
void guesses_tell(const struct feeds *feeds, const struct sinks *sinks);
