#include "edge/uwsgi_packet.h"

namespace berth::edge {
namespace {

constexpr std::size_t kMost = 0xffff;

void append_size(std::string& out, std::size_t size) {
  out += static_cast<char>(size & 0xff);
  out += static_cast<char>(size >> 8 & 0xff);
}

}  // namespace

Result<std::string> uwsgi_packet(const CgiVars& vars) {
  std::string body;
  for (const auto& [name, value] : vars) {
    const std::size_t size = body.size() + name.size() + value.size() + 4;
    if (size > kMost) return fail(Code::invalid, "the variables of the request are larger than a packet of uWSGI");
    append_size(body, name.size());
    body.append(name);
    append_size(body, value.size());
    body.append(value);
  }
  std::string packet(1, '\0');
  append_size(packet, body.size());
  packet += '\0';
  return packet.append(body);
}

}  // namespace berth::edge
