#include "cli/listing.h"

#include <algorithm>

#include "base/text.h"
#include "cli/console.h"
#include "cli/template.h"

namespace berth::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string text_of(const Json& value) {
  return value.is_text() ? std::string(value.text()) : value.dump();
}

std::vector<std::string> cells(std::string_view line) {
  std::vector<std::string> out;
  for (const auto cell : split(line, '\t')) out.emplace_back(cell);
  return out;
}

// The fields of a template's header line by their titles.
std::vector<std::string> titles(std::string_view header, std::span<const Column> columns) {
  auto out = cells(header);
  for (auto& cell : out) {
    const auto found = std::ranges::find(columns, cell, &Column::field);
    if (found != columns.end())
      cell = found->title;
    else
      std::ranges::transform(cell, cell.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  }
  return out;
}

}  // namespace

Result<std::string> listing(std::string_view format, std::span<const Column> columns, const std::vector<Json>& rows) {
  std::string out;
  if (format == "json") {
    for (const auto& row : rows) out += row.dump() + "\n";
    return out;
  }
  Rows table_rows;
  if (format.empty() || format == "table") {
    auto& header = table_rows.emplace_back();
    for (const auto& column : columns) header.emplace_back(column.title);
    for (const auto& row : rows) {
      auto& line = table_rows.emplace_back();
      for (const auto& column : columns) line.push_back(text_of(row[column.field]));
    }
    return table(table_rows);
  }
  const bool as_table = format.starts_with("table ");
  const auto form = TRY(Template::parse(as_table ? trim(format.substr(6)) : format));
  if (as_table) table_rows.push_back(titles(form.header(), columns));
  for (const auto& row : rows) {
    const auto line = TRY(form.render(row));
    if (as_table)
      table_rows.push_back(cells(line));
    else
      out += line + "\n";
  }
  return as_table ? table(table_rows) : out;
}

}  // namespace berth::cli
