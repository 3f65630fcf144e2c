/* guesses.h - what was guessed of the data of a run, said before it starts. */
#pragma once
#include "train/event.h"
#include "train/feeds.h"

/* Note every guess about the data, "/train/x: ... is taken for ...; if not, ...", and what of it is
 * no field; but for what was said of `told` already, NULL: nothing was. Local. */
void guesses_tell(const struct dataset *ds, const struct dataset *told, const struct sinks *sinks);

/* Those about training and validation data. Local. */
void guesses_tell_all(const struct feeds *feeds, const struct sinks *sinks);
