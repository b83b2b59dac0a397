// Every operation of the Docker Engine API 1.25 to 1.55, and what an engine answers besides: one table that decides
// what a request is. What is not in it is refused.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace berth::broker {

/// What an operation needs of the server besides a request and a reply.
enum class Needs {
  nothing,
  tunnel,   ///< the engine may take the connection over, by 101 or by 200 with a raw stream
  refusal,  ///< no policy can allow it: the broker does not carry it
};

struct Operation {
  std::string_view name;    ///< resource and verb: "containers.list"
  std::string_view method;  ///< upper case
  std::string_view path;    ///< below the version, with at most one {id} or {image}
  /// Known parameters, "name:kind" each, divided by spaces: b switch, i whole number, t text, l text that may repeat,
  /// f filters, j other JSON, X what clients say and no engine reads, which does not go on; other capitals are judged
  /// by decide.cc.
  std::string_view query = {};
  std::string_view body = {};  ///< "": none, "stream": bytes, else the shape in body.h
  Needs needs = Needs::nothing;
  /// "containers" of "containers.list".
  std::string_view resource() const { return name.substr(0, name.find('.')); }
  /// The letter of a parameter; 0 when it has none of that name.
  char kind_of(std::string_view parameter) const;
  bool reads() const { return method == "GET" || method == "HEAD"; }
};

std::span<const Operation> operations();
/// By its name; null when there is none.
const Operation* find_operation(std::string_view name);

/// An operation with the name that stands in its path.
struct Match {
  const Operation* operation = nullptr;
  std::string name{};  ///< of {id} or {image}, decoded; "" where the path has none
};
/// `path` is what follows the version. Names are of letters, digits and "_.-" and begin with a letter or digit; those
/// of images have "/:@" too, the only ones that may come percent-encoded. Nothing for any other path.
std::optional<Match> match_operation(std::string_view method, std::string_view path);
/// The path that is sent to the engine: built of the table's text and the name.
std::string path_of(const Match& match);

bool is_name(std::string_view text);
/// A reference to an image: parts of letters, digits and "._-" divided by single '/', ':' or '@'.
bool is_image_name(std::string_view text);

}  // namespace berth::broker
