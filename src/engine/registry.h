// Registries as an engine sees them.
#pragma once

#include <string>

#include "engine/client.h"
#include "engine/credentials.h"

namespace berth::engine {

/// POST /auth: the engine logs in to the registry of `credentials`, as it would for a pull. The identity token that the
/// registry gave to be used in place of the password, "" for none. Code::denied when it refuses user or password,
/// unavailable when the engine cannot reach it; the message names registry and user and ends with the engine's words.
io::Task<Result<std::string>> log_in(Client& client, Credentials credentials);

/// What to add to the error of a pull or push that a registry refused, "" for any other: "; log in with `PROGRAM
/// registry.example.com`, or check the name". Pure.
std::string login_advice(const Error& error, const std::string& reference, std::string_view program);

}  // namespace berth::engine
