// What a provider answered, judged: RFC 6749 5 as it is lived. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace berth::auth {

struct Answer {
  int status = 0;
  std::int64_t retry_after = 0;  ///< seconds; 0: it did not say
  std::string next{};            ///< where a list goes on, "": nowhere
  Json body{};                   ///< null: no JSON
};

/// The target with rel=next of a Link field (RFC 8288), "" without one.
std::string next_page(std::string_view link);

/// The JSON of a 200. Code::busy where it asks to come back later, invalid where the address or the client's rights are
/// wrong, internal for what is no JSON, unavailable for the rest. No error holds what the answer said.
Result<Json> good_answer(Answer answer);

/// The answer to a code, with an access_token that may be sent as Bearer. Errors count whatever the status (GitHub
/// sends them with 200): Code::timeout for a code that is spent or too old, invalid for a client or an address that the
/// provider does not know, denied for others; else as good_answer().
Result<Json> token_answer(Answer answer);

/// ": invalid_scope" for a word of the RFC's vocabulary, "" for others' words, which are none of ours.
std::string error_words(std::string_view error);

}  // namespace berth::auth
