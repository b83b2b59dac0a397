// The one-off container of `berth run`: what differs from the service's own. Pure.
#pragma once

#include <string>

#include "cli/options.h"
#include "compose/project.h"
#include "plan/plan.h"

namespace berth::cli {

/// The service as `run` starts it: flags over its configuration. Code::invalid for a port or volume text.
Result<compose::Service> oneoff_service(const compose::Service& service, const RunFlags& flags, const Texts& command,
                                        bool tty);

/// The plan without what it does to containers of `service`: its dependencies, networks, volumes and image remain.
Result<plan::Plan> without_service(const plan::Plan& plan, const std::string& service);

}  // namespace berth::cli
