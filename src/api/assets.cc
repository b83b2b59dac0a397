#include "api/assets.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "edge/encoder.h"

#ifndef BERTH_UI_BLOB  // one who reads this file alone, as clang-tidy does
#define BERTH_UI_BLOB "/dev/null"
#endif

// The bytes of all files, one after the other. In its own object: a change of the UI compiles this file alone.
__asm__(
    ".section .rodata\n"
    ".balign 16\n"
    "berth_ui_bytes:\n"
    ".incbin \"" BERTH_UI_BLOB
    "\"\n"
    ".byte 0\n"
    ".previous\n");
extern "C" const char berth_ui_bytes[];  // NOLINT(readability-identifier-naming)

namespace berth::api {
namespace {

struct Span {
  std::size_t offset = 0, size = 0;
};

struct File {
  std::string_view path, type, tag;
  Span plain, gzip, br;  ///< size 0: not smaller that way
};

#ifdef BERTH_UI_TABLE
#include BERTH_UI_TABLE
#else
constexpr std::array<File, 0> files{};
#endif

constexpr std::string_view kNoUi =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>berth</title></head>\n"
    "<body><h1>berth</h1><p>This binary was built without its UI: node was not there. The command line and the API are "
    "complete; <code>make build</code> builds the UI too.</p></body></html>\n";

// The UI's own scripts and styles, its own API, and pictures that scripts draw; no inline script or style, no eval, no
// other origin, no frame around it.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

std::string_view bytes_of(Span span) {
  return {&berth_ui_bytes[span.offset], span.size};
}

const File* find(std::string_view path) {
  const std::span all(files);
  const auto at = std::ranges::find(all, path, &File::path);
  return at == all.end() ? nullptr : &*at;
}

Asset form_of(const File& file, std::string_view accept_encoding) {
  std::vector<std::string> offered;
  if (file.br.size != 0) offered.emplace_back("br");
  if (file.gzip.size != 0) offered.emplace_back("gzip");
  const auto chosen = edge::choose_encoding(accept_encoding, offered);
  Asset out{.type = file.type, .encoding = {}, .immutable = file.path.starts_with("/assets/")};
  out.body = bytes_of(file.plain);
  if (chosen == "br") {
    out.body = bytes_of(file.br);
    out.encoding = "br";
  } else if (chosen == "gzip") {
    out.body = bytes_of(file.gzip);
    out.encoding = "gzip";
  }
  out.etag = "\"" + std::string(file.tag) + (out.encoding.empty() ? "" : "-" + std::string(out.encoding)) + "\"";
  return out;
}

bool below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

http::Headers headers_of(const Asset& found) {
  http::Headers out = {{"Content-Type", std::string(found.type)},
                       {"ETag", found.etag},
                       {"Cache-Control", found.immutable ? "public, max-age=31536000, immutable" : "no-cache"},
                       {"Vary", "Accept-Encoding"},
                       {"Content-Security-Policy", std::string(kPolicy)},
                       {"X-Content-Type-Options", "nosniff"},
                       {"Referrer-Policy", "same-origin"},
                       {"Cross-Origin-Opener-Policy", "same-origin"},
                       {"Cross-Origin-Resource-Policy", "same-origin"},
                       {"Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"}};
  if (!found.encoding.empty()) out.emplace_back("Content-Encoding", found.encoding);
  return out;
}

// RFC 9110 13.1.2: one of a list of entity tags, compared weakly, or any.
bool known(std::string_view if_none_match, std::string_view etag) {
  return if_none_match == "*" || if_none_match.find(etag) != std::string_view::npos;
}

}  // namespace

bool has_ui() {
  return find("/index.html") != nullptr;
}

std::optional<Asset> asset(std::string_view path, std::string_view accept_encoding) {
  if (below(path, "/api")) return {};
  if (const auto* file = find(path)) return form_of(*file, accept_encoding);
  if (below(path, "/assets") || path == "/favicon.ico") return {};
  if (const auto* page = find("/index.html")) return form_of(*page, accept_encoding);
  return Asset{.body = kNoUi, .type = "text/html; charset=utf-8", .etag = "\"no-ui\""};
}

io::Task<Result<void>> serve_asset(http::ServerRequest& request, http::ResponseWriter& response) {
  const auto& head = request.head();
  if (head.method != "GET" && head.method != "HEAD")
    co_return co_await response.send(405, {{"Allow", "GET, HEAD"}}, "only GET and HEAD are answered here\n");
  const auto found = asset(head.path, head.fields.get("accept-encoding"));
  if (!found)
    co_return co_await response.send(404, {{"Content-Type", "text/plain; charset=utf-8"}}, "there is no such file\n");
  auto headers = headers_of(*found);
  if (known(head.fields.get("if-none-match"), found->etag))
    co_return co_await response.send(304, std::move(headers), found->body);  // no body, its length
  co_return co_await response.send(200, std::move(headers), found->body);
}

}  // namespace berth::api
