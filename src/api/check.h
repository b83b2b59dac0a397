// What a request says, held against what its route declares. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "api/route.h"

namespace berth::api {

using Options = std::map<std::string, std::string, std::less<>>;

/// The query by name; where "*" is declared, what others is in it is passed over. Code::invalid names a parameter that
/// is unknown, given twice, missing, or not of its type.
Result<Options> check_query(std::string_view query, const std::vector<Parameter>& declared);
/// The body of a route with fields; an empty text is {}. Code::invalid names the field that is unknown, missing or of
/// another type, and a text that is no JSON object.
Result<Json> check_body(std::string_view text, const std::vector<Parameter>& declared, std::size_t most);
/// Whether a Content-Type is JSON: "application/json", with charset=utf-8 at most.
bool is_json(std::string_view content_type);

}  // namespace berth::api
