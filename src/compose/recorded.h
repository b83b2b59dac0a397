// What a project was loaded from: the texts that were read and the variables that they name.
#pragma once

#include <map>
#include <string>

#include "compose/load.h"

namespace berth::compose {

/// Path -> text, as the loader asked for them.
using Texts = std::map<std::string, std::string>;

/// `files`, keeping in `texts` (which must outlive it) what is read.
Files recording(const Files& files, Texts& texts);
/// The part of `environment` that can have had a say: names that occur as words in a text, and COMPOSE_*.
std::map<std::string, std::string> named_variables(const std::map<std::string, std::string>& environment,
                                                   const Texts& texts);

}  // namespace berth::compose
