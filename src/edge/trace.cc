#include "edge/trace.h"

#include <algorithm>

namespace berth::edge {
namespace {

constexpr std::size_t kLength = 55;
constexpr std::string_view kDigits = "0123456789abcdef";

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return kDigits.find(c) != std::string_view::npos; });
}

bool is_id(std::string_view text) {
  return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

void append_hex(std::string& out, std::uint64_t number) {
  for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[(number >> shift) & 15];
}

}  // namespace

bool is_traceparent(std::string_view text) {
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const std::string_view version = text.substr(0, 2);
  if (!is_hex(version) || version == "ff") return false;
  if (version == "00" ? text.size() != kLength : text.size() > kLength && text[kLength] != '-') return false;
  return is_id(text.substr(3, 32)) && is_id(text.substr(36, 16)) && is_hex(text.substr(53, 2));
}

std::string_view trace_id_of(std::string_view traceparent) {
  return traceparent.substr(3, 32);
}

std::string make_traceparent(std::uint64_t high, std::uint64_t low, std::uint64_t parent) {
  std::string out = "00-";
  append_hex(out, high);
  append_hex(out, low | 1);  // never all zeros
  out += '-';
  append_hex(out, parent | 1);
  return out + "-01";
}

bool is_request_id(std::string_view text) {
  static constexpr std::string_view kMarks = "-_.:+/=@";
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

}  // namespace berth::edge
