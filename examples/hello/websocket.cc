#include "websocket.h"

#include <array>
#include <bit>
#include <cstdint>

namespace {

constexpr uint64_t kMostPayload = 1024 * 1024;
constexpr int kClose = 8, kPing = 9, kPong = 10;

uint32_t big_endian(const std::string& text, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(text[at + i]);
  return value;
}

void mix_block(std::array<uint32_t, 5>& state, const std::string& text, size_t at) {
  std::array<uint32_t, 80> w;
  for (size_t i = 0; i < 16; ++i) w[i] = big_endian(text, at + 4 * i);
  for (size_t i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  auto [a, b, c, d, e] = state;
  for (size_t i = 0; i < 80; ++i) {
    uint32_t f = b ^ c ^ d, k = 0xCA62C1D6;
    if (i < 20)
      f = (b & c) | (~b & d), k = 0x5A827999;
    else if (i < 40)
      k = 0x6ED9EBA1;
    else if (i < 60)
      f = (b & c) | (b & d) | (c & d), k = 0x8F1BBCDC;
    const uint32_t next = std::rotl(a, 5) + f + e + k + w[i];
    e = d, d = c, c = std::rotl(b, 30), b = a, a = next;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

/// SHA-1 (FIPS 180-4), which RFC 6455 asks for; it protects nothing here.
std::string sha1(std::string text) {
  std::array<uint32_t, 5> state{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  const uint64_t bits = text.size() * 8;
  text += '\x80';
  while (text.size() % 64 != 56) text += '\0';
  for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>(bits >> shift);
  for (size_t at = 0; at < text.size(); at += 64) mix_block(state, text, at);
  std::string digest;
  for (uint32_t word : state)
    for (int shift = 24; shift >= 0; shift -= 8) digest += static_cast<char>(word >> shift);
  return digest;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i)
      group = group << 8 | (at + i < bytes.size() ? static_cast<uint8_t>(bytes[at + i]) : 0);
    for (size_t i = 0; i < 4; ++i) out += at + i <= bytes.size() ? alphabet[group >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

std::string frame(int first, std::string_view payload) {
  std::string out(1, static_cast<char>(first));
  const int size_bytes = payload.size() < 126 ? 0 : payload.size() < 65536 ? 2 : 8;
  out += static_cast<char>(size_bytes == 0 ? payload.size() : size_bytes == 2 ? 126 : 127);
  for (int i = size_bytes - 1; i >= 0; --i) out += static_cast<char>(payload.size() >> (8 * i));
  return out.append(payload);
}

struct Frame {
  int first = 0;        ///< FIN, reserved bits, opcode
  std::string payload;  ///< unmasked
  size_t bytes = 0;     ///< of the whole frame; 0 while it is not whole
  int broken = 0;       ///< the close status of a frame that breaks the protocol
};

Frame read_frame(const std::string& in) {
  Frame frame;
  if (in.size() < 2) return frame;
  frame.first = static_cast<uint8_t>(in[0]);
  uint64_t size = in[1] & 0x7f;
  size_t at = 2;
  const size_t size_bytes = size < 126 ? 0 : size == 126 ? 2 : 8;
  if (in.size() < at + size_bytes) return frame;
  if (size_bytes) size = 0;
  for (size_t i = 0; i < size_bytes; ++i) size = size << 8 | static_cast<uint8_t>(in[at++]);
  const bool masked = in[1] & 0x80;
  const bool long_control = frame.first & 8 && (size > 125 || !(frame.first & 0x80));
  if (!masked || frame.first & 0x70 || long_control) frame.broken = 1002;
  if (size > kMostPayload) frame.broken = 1009;
  if (frame.broken || in.size() < at + 4 + size) return frame;
  frame.payload = in.substr(at + 4, size);
  for (size_t i = 0; i < frame.payload.size(); ++i) frame.payload[i] ^= in[at + i % 4];
  frame.bytes = at + 4 + size;
  return frame;
}

}  // namespace

std::string websocket_accept(std::string_view key) {
  return base64(sha1(std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
}

std::string websocket_close(int status) {
  const char payload[] = {static_cast<char>(status >> 8), static_cast<char>(status)};
  return frame(0x80 | kClose, {payload, sizeof payload});
}

bool websocket_echo(std::string& in, std::string& out) {
  for (;;) {
    Frame got = read_frame(in);
    if (got.broken) {
      out += websocket_close(got.broken);
      return false;
    }
    if (got.bytes == 0) return true;
    in.erase(0, got.bytes);
    const int opcode = got.first & 15;
    if (opcode == kPong) continue;
    out += frame(opcode == kPing ? 0x80 | kPong : got.first, got.payload);
    if (opcode == kClose) return false;
  }
}
