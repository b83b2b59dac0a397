// The server's half of a WebSocket echo (RFC 6455).
#pragma once

#include <string>
#include <string_view>

/// What the server answers to Sec-WebSocket-Key (RFC 6455 section 4.2.2).
std::string websocket_accept(std::string_view key);

/// Answers every whole frame of `in` into `out` and takes it away: data comes back as it came, fragments too, a ping
/// as a pong. False when the connection ends after `out`: the client closed, or it broke the protocol.
bool websocket_echo(std::string& in, std::string& out);

/// A close frame with that status.
std::string websocket_close(int status);
