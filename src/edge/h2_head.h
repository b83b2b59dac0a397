// A request's head as HTTP/2 brings it, read by the parser of HTTP/1.1. Pure.
#pragma once

#include <string>
#include <string_view>

#include "http/head.h"

namespace berth::edge {

/// A request's fields as they come, written as an HTTP/1.1 head: one parser decides what is a request, so that nothing
/// passes in HTTP/2 that would be refused in HTTP/1.1 (and nothing can become two requests behind us). Pure.
class H2Head {
 public:
  /// Beyond `most` bytes (as RFC 9113 6.5.2 counts them) nothing is kept.
  void add(std::string_view name, std::string_view value, std::size_t most);
  /// `ended`: no body follows. The views in `head` are into this.
  http::Parsed parse(http::RequestHead& head, const http::HeadLimits& limits, bool ended);
  void clear();

 private:
  bool is_tunnel() const { return method_ == "CONNECT" && protocol_ == "websocket"; }
  http::Parsed refusal();
  void write();

  std::string method_, scheme_, authority_, path_, protocol_, host_, cookie_, fields_, text_;
  std::size_t bytes_ = 0;
  bool too_large_ = false;
};

}  // namespace berth::edge
