// Which route a request's path and method mean. Pure.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/route.h"

namespace berth::api {

/// The decoded segments of a path. Code::invalid for one that is not canonical: an empty segment, "." or "..", a '/' or
/// control byte in a segment once decoded, or an encoded byte that needs no encoding: two spellings of one path are how
/// checks are gone around.
Result<std::vector<std::string>> path_segments(std::string_view path);

/// The table, made once. Owns the routes. Immutable.
class RouteTable {
 public:
  /// Code::invalid for two routes that mean the same, or a template that is none.
  static Result<RouteTable> make(Routes routes);

  struct Match {
    const Route* route = nullptr;  ///< null: `allowed` says which methods the path has; none: there is no such path
    std::map<std::string, std::string, std::less<>> parameters{};
    std::vector<std::string> allowed{};
  };
  /// Literal segments go before parameters. HEAD finds the route of GET.
  Match find(std::string_view method, const std::vector<std::string>& segments) const;
  const Routes& routes() const { return *routes_; }

 private:
  struct Part {
    std::string text{};  ///< literal, or name
    enum class Kind { literal, one, rest } kind = Kind::literal;
  };
  struct Template {
    std::vector<Part> parts{};
    const Route* route = nullptr;
  };
  static Result<Template> parse(const Route& route);
  static std::string shape(const Template& pattern);
  static bool matches(const Template& pattern, const std::vector<std::string>& segments);

  std::unique_ptr<const Routes> routes_;
  std::vector<Template> templates_;  ///< the most literal first
};

}  // namespace berth::api
