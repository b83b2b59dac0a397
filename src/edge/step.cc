#include "edge/step.h"

#include "edge/client_certificate.h"
#include "edge/path.h"

namespace berth::edge {
namespace {

bool is_default_port(std::string_view scheme, std::string_view port) {
  return port.empty() || (scheme == "https" ? port == "443" : port == "80");
}

bool stays_canonical(const std::string& path) {
  std::string storage;
  const auto again = canonical_path(path, storage);
  return again && *again == path;
}

int redirect_status(std::string_view method, bool permanent) {
  const bool plain = method == "GET" || method == "HEAD";
  if (permanent) return plain ? 301 : 308;
  return plain ? 302 : 307;
}

std::string target_of(const Asked& asked) {
  std::string target(asked.path);
  if (!asked.head.query.empty()) target.append("?").append(asked.head.query);
  return target;
}

bool is_location(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '\\') return false;
  }
  return !text.empty();
}

class Step {
 public:
  Step(const Asked& asked, Rewritten& rewritten) : asked_(asked), rewritten_(rewritten) {}

  Verdict operator()(const RedirectScheme& action) {
    if (action.scheme == asked_.hop.scheme()) return {};
    std::string storage;
    const auto host = request_host(asked_.head.authority, storage);
    if (!host) return {.status = 400, .reason = "The Host field does not name a host."};
    return {.status = redirect_status(asked_.head.method, action.permanent),
            .location = redirect_location(action.scheme, *host, action.port, target_of(asked_))};
  }

  Verdict operator()(const RedirectRegex& action) {
    const std::string url =
        std::string(asked_.hop.scheme()) + "://" + std::string(asked_.head.authority) + target_of(asked_);
    if (!matches(*action.regex.regex, url)) return {};
    auto location = replace(*action.regex.regex, url, action.replacement);
    if (!location || !is_location(*location)) return {.status = 400, .reason = "The address cannot be redirected."};
    if (*location == url) return {};
    return {.status = redirect_status(asked_.head.method, action.permanent), .location = std::move(*location)};
  }

  Verdict operator()(const StripPrefix& action) {
    for (const std::string& prefix : action.prefixes) {
      if (rewritten_.path.starts_with(prefix)) return strip(prefix.size());
    }
    return {};
  }
  Verdict operator()(const StripPrefixRegex& action) {
    for (const Pattern& pattern : action.regex) {
      if (const std::size_t length = prefix_length(*pattern.regex, rewritten_.path)) return strip(length);
    }
    return {};
  }
  Verdict operator()(const AddPrefix& action) {
    rewritten_.path.insert(0, action.prefix);
    return checked();
  }
  Verdict operator()(const ReplacePath& action) {
    rewritten_.replaced = std::exchange(rewritten_.path, action.path);
    return checked();
  }
  Verdict operator()(const ReplacePathRegex& action) {
    if (!matches(*action.regex.regex, rewritten_.path)) return {};
    auto path = replace(*action.regex.regex, rewritten_.path, action.replacement);
    if (!path || path->find_first_of("?#") != std::string::npos || !is_location(*path)) return ambiguous();
    rewritten_.replaced = std::exchange(rewritten_.path, std::move(*path));
    return checked();
  }
  Verdict operator()(const PassTlsClientCert& action) {
    rewritten_.passes_certificate = true;
    const ClientCertificate* shown = asked_.hop.certificate.get();
    if (shown && action.pem) rewritten_.certificate.assign(shown->pem());
    if (shown && action.info) rewritten_.certificate_info.assign(shown->info(*action.info));
    return {};
  }
  /// What has a handler of its own, or has no effect here.
  template <class Other>
  Verdict operator()(const Other&) {
    return {};
  }

 private:
  static Verdict ambiguous() { return {.status = 400, .reason = "The path is ambiguous."}; }
  Verdict checked() const { return stays_canonical(rewritten_.path) ? Verdict{} : ambiguous(); }
  Verdict strip(std::size_t length) {
    rewritten_.stripped.append(rewritten_.path, 0, length);
    rewritten_.path.erase(0, length);
    if (!rewritten_.path.starts_with('/')) rewritten_.path.insert(0, 1, '/');
    return checked();
  }

  const Asked& asked_;
  Rewritten& rewritten_;
};

}  // namespace

std::string redirect_location(std::string_view scheme, std::string_view host, std::string_view port,
                              std::string_view path_and_query) {
  std::string location(scheme);
  location += "://";
  const bool v6 = host.contains(':');
  if (v6) location += '[';
  location += host;
  if (v6) location += ']';
  if (!is_default_port(scheme, port)) location.append(":").append(port);
  return location.append(path_and_query);
}

Verdict take_step(const Middleware& middleware, const Asked& asked, Rewritten& rewritten) {
  return std::visit(Step(asked, rewritten), middleware.action);
}

}  // namespace berth::edge
