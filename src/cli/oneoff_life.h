// The one-off containers of run and debug, from their beginning to their end.
#pragma once

#include <string>

#include "cli/session.h"
#include "compose/project.h"

namespace berth::cli {

/// What a one-off container is made of, and what became of it.
struct OneOff {
  compose::Project project;
  std::string service;
  RunFlags flags{};
  std::string id{};    ///< set by make_oneoff
  std::string name{};  ///< set by make_oneoff
  bool tty = false;
  bool input = false;  ///< our standard input goes to it
};

/// Networks, volumes, the image, unless --no-deps what the service depends on, then the container of `service` (which
/// oneoff_service made), created and not started. With --dry-run only the plan
/// is printed and `id` stays empty.
io::Task<Result<void>> make_oneoff(Session& session, OneOff& run, compose::Service service);
/// After an end or a Ctrl-C: nothing of a --rm run stays, and a container without its terminal does not run on.
io::Task<Result<void>> end_oneoff(Session& session, const OneOff& run);

}  // namespace berth::cli
