// Bodies read strictly into the model of shape.h and written anew: what an engine would read in another way than we do
// does not get through.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "broker/operation.h"
#include "broker/shape.h"

namespace berth::broker {

/// A JSON text in which no object has a key twice, at most 32 deep. Code::invalid otherwise, or for a byte order mark,
/// white space beyond 64 KiB at the front, or anything behind the value.
Result<Json> parse_strict(std::string_view text);

struct Examined {
  Json body{};  ///< of known members in their one spelling, of the right kinds; null members are left out
  Findings findings{};
};
/// `text` as the body `name` of the operation table; an empty text reads as {}. Code::invalid names the member.
Result<Examined> examine(std::string_view name, std::string_view text);
/// The same for an operation's body. Members that only repeat parameters of it, as dockerode sends them, are left out.
Result<Examined> examine(const Operation& operation, std::string_view text);
/// Whether a body that the operation does not have says nothing: empty, null, {}, [], or parameters of it again.
bool says_nothing(const Operation& operation, std::string_view text);

/// The labels that the object will have; empty for a body without any.
std::map<std::string, std::string> labels_of(std::string_view name, const Json& body);
/// REQUIRES: a body that has labels ("container", "service", "volume", "network", "secret", "swarm-config").
void set_label(Json& body, const std::string& label, const std::string& value);
bool has_labels(std::string_view name);

}  // namespace berth::broker
