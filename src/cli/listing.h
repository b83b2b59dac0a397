// Rows for people and for programs: one way for every verb that has --format. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace berth::cli {

/// A column of the table.
struct Column {
  std::string_view title;  ///< "CONTAINER ID"
  std::string_view field;  ///< of the rows
};

/// `rows` (objects) by --format: "table" (or ""), "json" (one object a line), "table TEMPLATE", "TEMPLATE".
/// Code::invalid for a template that is wrong; see template.h.
Result<std::string> listing(std::string_view format, std::span<const Column> columns, const std::vector<Json>& rows);

}  // namespace berth::cli
