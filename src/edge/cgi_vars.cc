#include "edge/cgi_vars.h"

#include <algorithm>

#include "http/url.h"

namespace berth::edge {
namespace {

constexpr std::string_view kPhp = ".php";

/// "Accept-Language" -> "ACCEPT_LANGUAGE".
std::string variable(std::string_view prefix, std::string_view name) {
  std::string out(prefix);
  for (const char c : name) out += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

/// Fields that are told in another way, or in none.
bool is_left_out(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "proxy",   "content-type", "content-length", "connection", "te", "transfer-encoding",
      "upgrade", "expect",       "keep-alive",     "trailer"};
  const auto same = [&](std::string_view each) { return http::same_name(name, each); };
  return name.contains('_') || std::ranges::any_of(kNames, same);
}

void add_fields(CgiVars& vars, const http::Fields& fields) {
  const std::size_t first = vars.size();
  for (const http::Field& field : fields) {
    if (is_left_out(field.name)) continue;
    std::string name = variable("HTTP_", field.name);
    const auto known = std::find_if(vars.begin() + static_cast<std::ptrdiff_t>(first), vars.end(),
                                    [&](const auto& each) { return each.first == name; });
    if (known == vars.end())
      vars.emplace_back(std::move(name), field.value);
    else
      known->second.append(http::same_name(field.name, "cookie") ? "; " : ", ").append(field.value);
  }
}

void set(CgiVars& vars, const std::string& name, const std::string& value) {
  const auto known = std::ranges::find(vars, name, &CgiVars::value_type::first);
  if (known == vars.end())
    vars.emplace_back(name, value);
  else
    known->second = value;
}

Result<std::string> plain_path(const http::RequestHead& head) {
  auto path = TRY(http::percent_decode(head.path));
  const auto odd = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(path, odd)) return fail(Code::invalid, "the path has control characters");
  return path;
}

std::string_view port_of(const CgiRequest& request) {
  const std::string_view authority = request.head.authority;
  const auto colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && !authority.ends_with(']');
  return has_port ? authority.substr(colon + 1) : request.https ? "443" : "80";
}

CgiVars common(const CgiRequest& request) {
  const http::RequestHead& head = request.head;
  CgiVars vars{{"QUERY_STRING", std::string(head.query)},
               {"REQUEST_METHOD", std::string(head.method)},
               {"CONTENT_TYPE", std::string(head.fields.get("content-type"))},
               {"CONTENT_LENGTH", request.length ? std::to_string(*request.length) : ""},
               {"REQUEST_URI", std::string(head.target)},
               {"DOCUMENT_ROOT", request.options.root},
               {"SERVER_PROTOCOL", "HTTP/1.1"},
               {"REQUEST_SCHEME", request.https ? "https" : "http"},
               {"REMOTE_ADDR", std::string(request.client)},
               {"SERVER_PORT", std::string(port_of(request))},
               {"SERVER_NAME", std::string(request.host)}};
  if (request.https) vars.emplace_back("HTTPS", "on");
  return vars;
}

void finish(CgiVars& vars, const CgiRequest& request) {
  add_fields(vars, request.head.fields);
  for (const auto& [name, value] : request.options.params) set(vars, variable("", name), value);
}

/// Where the script's name ends in `path`: behind the first segment that ends in .php; npos: there is none.
std::size_t script_end(std::string_view path) {
  for (std::size_t at = path.find(kPhp); at != std::string_view::npos; at = path.find(kPhp, at + 1)) {
    const std::size_t end = at + kPhp.size();
    if (end == path.size() || path[end] == '/') return end;
  }
  return std::string_view::npos;
}

}  // namespace

Result<CgiVars> uwsgi_vars(const CgiRequest& request) {
  auto path = TRY(plain_path(request.head));
  CgiVars vars = common(request);
  vars.emplace_back("PATH_INFO", std::move(path));
  finish(vars, request);
  return vars;
}

Result<CgiVars> fastcgi_vars(const CgiRequest& request) {
  const std::string path = TRY(plain_path(request.head));
  const Cgi& options = request.options;
  const std::size_t end = script_end(path);
  std::string script = path.substr(0, end), info = end == std::string::npos ? "" : path.substr(end);
  if (end == std::string::npos && !options.script.empty())
    script = options.script;
  else if (script.ends_with('/'))
    script += options.index;
  CgiVars vars = common(request);
  vars.emplace_back("GATEWAY_INTERFACE", "CGI/1.1");
  vars.emplace_back("SERVER_SOFTWARE", "berth");
  vars.emplace_back("REDIRECT_STATUS", "200");  // PHP refuses to run without it
  vars.emplace_back("DOCUMENT_URI", script + info);
  vars.emplace_back("SCRIPT_FILENAME", options.root + script);
  vars.emplace_back("SCRIPT_NAME", std::move(script));
  vars.emplace_back("PATH_INFO", std::move(info));
  finish(vars, request);
  return vars;
}

}  // namespace berth::edge
