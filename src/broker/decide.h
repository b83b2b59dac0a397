// Whether a request goes on to the engine, and as what: facts in, a verdict out. What is forwarded is built of what was
// decided, never of the client's bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/body.h"
#include "broker/policy.h"
#include "broker/query.h"
#include "broker/version.h"

namespace berth::broker {

/// A request's head as it came; views of the caller.
struct Asked {
  std::string_view method{}, target{};
  bool has_body = false;
  bool wants_upgrade = false;  ///< Connection: Upgrade
  std::string_view content_type{};
  std::string_view content_encoding{};
  bool from_browser = false;  ///< it has Origin or Sec-Fetch-Site
};

/// An object that the request names and that a policy with labels has to look at first.
struct Reference {
  std::string kind;  ///< "containers", "networks", "volumes", "exec", "services", "secrets", "configs"
  std::string name;
  friend bool operator==(const Reference&, const Reference&) = default;
};

struct Verdict {
  int status = 0;         ///< 0: allowed; else what to answer: 400, 403, 413
  std::string rule{};     ///< of a denial: "operation", "path", "privileged", ...
  std::string message{};  ///< of a denial, for the client
  Match match{};
  std::optional<int> client{};  ///< the minor of the version that the client asked by
  Query query{};
  std::string body{};                ///< to be sent, where the operation has one that is parsed
  std::vector<std::string> binds{};  ///< paths of the host in the body, to be looked at for symbolic links
  std::vector<Reference> references{};
  std::vector<std::string> networks{};  ///< none of them may be the host's by another name
  bool allowed() const { return status == 0; }
  /// "/v1.41/containers/json?all=1".
  std::string target(const Versions& versions) const;
};

/// By the head alone. An allowed operation whose body is parsed has to go through decide_body.
Verdict decide_head(const Policy& policy, const Versions& versions, const Asked& asked);
/// `text` is the whole body, at most policy.body_limit bytes; "" when there is none.
Verdict decide_body(const Policy& policy, Verdict head, std::string_view text);
/// Whether the engine gets the client's bytes as they are (an archive).
bool streams_body(const Operation& operation);
/// gzip, bzip2, xz, lzma or zstd: the engine would run a program of the container's image to unpack it.
bool looks_compressed(std::string_view front);

/// The findings of a body that `policy` does not grant to `project` ("" for none).
Findings denied_by(const Policy& policy, const Findings& findings, std::string_view project);

}  // namespace berth::broker
