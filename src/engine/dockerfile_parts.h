// What dockerfile.cc and dockerfile_contexts.cc share. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/dockerfile.h"

namespace berth::engine {

inline constexpr std::string_view kWordBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

bool is_digit(char byte);
/// $NAME, ${NAME} and its forms with a default put in; what is unknown is empty.
std::string expand(std::string_view text, const Arguments& arguments);
/// The ARGs before the first FROM, as `given` says, else as they stand.
Arguments global_arguments(const Dockerfile& file, const Arguments& given);

struct Word {
  std::string_view text{};
  std::size_t at = 0;  ///< offset in what was divided
};
/// Divided by white space, line ends included.
std::vector<Word> words_of(std::string_view text);
/// `text` of a FROM: its image and the name of its stage.
struct FromLine {
  Word image{};
  std::string_view stage{};
};
FromLine parse_from(std::string_view text);
/// The names in --from= and in from= of --mount= in the flags of an instruction.
std::vector<Word> sources_in(std::string_view keyword, std::string_view text);

}  // namespace berth::engine
