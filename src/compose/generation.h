// A generation: all that it takes to bring a project back to how an `up` left it. Pure values.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compose/load.h"
#include "compose/recorded.h"
#include "plan/diff.h"

namespace berth::compose {

/// The image that a service ran.
struct KeptImage {
  std::string reference{};             ///< as the files name it
  std::string id{};                    ///< "sha256:..."
  std::vector<std::string> digests{};  ///< RepoDigests: where a registry has it
  int scale = 1;                       ///< containers of the service
  friend bool operator==(const KeptImage&, const KeptImage&) = default;
};

/// What may be read without the key: no value of a file or variable.
struct GenerationHead {
  int number = 0;
  std::string project{};
  std::string working_dir{};
  std::string time{};                         ///< RFC 3339
  std::string who{};                          ///< "root on web1"
  std::string command{};                      ///< "berth up -d"
  std::string note{};                         ///< "rollback to 3"
  std::string summary{};                      ///< of its plan: "1 to create"
  std::map<std::string, KeptImage> images{};  ///< by service
};

struct Generation {
  GenerationHead head{};
  /// How the project is loaded again: `environment` holds the variables that its files name.
  LoadOptions load{};
  Texts texts{};      ///< the files' bytes by path
  Remotes remotes{};  ///< which of them URLs named
  Json document{};    ///< the canonical model
  Texts secrets{};    ///< "secrets.key" or "configs.motd" -> the bytes of its `file`
  Json plan{};        ///< Plan::to_json without the bodies; secrets are hashes
  Json events{};      ///< [{"op": 1, "phase": "done", "ms": 12}], in order
};

/// Head and body as JSON texts; the head is one line. The body has the head's number nowhere: the store binds them.
std::string head_text(const GenerationHead& head);
std::string body_text(const Generation& generation);
/// Code::invalid for what is none.
Result<GenerationHead> parse_head(std::string_view text);
Result<Generation> parse_generation(GenerationHead head, std::string_view body);

/// The project as the generation's files say, every service with the image id and scale that it had.
Result<Project> project_of(const Generation& generation);

/// What differs between two canonical models, by path: "services.web.environment.MODE". Values under a secret's name,
/// and the contents of configs and secrets, are marked as secret.
std::vector<plan::Difference> document_differences(const Json& before, const Json& after);
/// The same for variables or texts by name; all of them secret when `hidden`.
std::vector<plan::Difference> text_differences(const Texts& before, const Texts& after, bool hidden);
/// "web: sha256:1111 -> sha256:2222" as differences "images.web".
std::vector<plan::Difference> image_differences(const GenerationHead& before, const GenerationHead& after);

}  // namespace berth::compose
