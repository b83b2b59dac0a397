// Projects over HTTP: their files, plans, changes and history.
#pragma once

#include "api/project_desk.h"
#include "api/route.h"

namespace berth::api {

/// /projects and what lies below, files aside. `desk` outlives the routes.
Routes project_routes(ProjectDesk& desk);
/// /projects/{project}/files and validation.
Routes project_file_routes(ProjectDesk& desk);

/// A handler over the desk, without a capture in a coroutine.
using ProjectAnswer = io::Task<Result<Reply>> (*)(ProjectDesk& desk, Call& call);
inline Answer at_projects(ProjectDesk& desk, ProjectAnswer answer) {
  return [&desk, answer](Call& call) { return answer(desk, call); };
}
/// The texts of a body's `files`: {"compose.yaml": "..."}. Code::invalid for a member that is no text.
Result<FileTexts> file_texts(const Json& files);

}  // namespace berth::api
