#include "edge/proxy_protocol.h"

#include <gtest/gtest.h>

namespace berth::edge {
namespace {

using namespace std::string_literals;
using State = ProxyParsed::State;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string outcome(const std::string& bytes) {
  ProxyHeader header;
  const ProxyParsed parsed = parse_proxy_header(bytes, header);
  if (parsed.state == State::need_more) return "more";
  if (parsed.state == State::refused) return "refused: " + std::string(parsed.reason);
  const std::string rest = " +" + std::to_string(bytes.size() - parsed.consumed);
  if (!header.known) return "unknown" + rest;
  return header.source.ip.text() + " " + std::to_string(header.source.port) + " -> " + header.destination.ip.text() +
         " " + std::to_string(header.destination.port) + rest;
}

std::string v2(std::string head, const std::string& body) {
  head += static_cast<char>(body.size() >> 8);
  head += static_cast<char>(body.size() & 0xff);
  return kSignature + head + body;
}

const std::string kFour = "\x0a\0\0\x01\x0a\0\0\x02\x04\xd2\x01\xbb"s;

TEST(ProxyProtocol, ReadsVersion1) {
  EXPECT_EQ(outcome("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nGET /"), "192.0.2.1 56324 -> 198.51.100.2 443 +5");
  EXPECT_EQ(outcome("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n"), "2001:db8::1 1 -> ::1 65535 +0");
  EXPECT_EQ(outcome("PROXY UNKNOWN\r\n"), "unknown +0");
  EXPECT_EQ(outcome("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\nx"), "unknown +1");
  EXPECT_EQ(outcome(""), "more");
  EXPECT_EQ(outcome("PROX"), "more");
  EXPECT_EQ(outcome("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r"), "more");
}

TEST(ProxyProtocol, RefusesWhatIsNearlyVersion1) {
  const std::string fields = "refused: does not hold two addresses and two ports";
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\n"), "refused: is missing");
  EXPECT_EQ(outcome("proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n"), "refused: is missing");
  EXPECT_EQ(outcome("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"), "refused: its line does not end in CR LF");
  EXPECT_EQ(outcome("PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n"), fields);
  EXPECT_EQ(outcome("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n"), fields);
  EXPECT_EQ(outcome("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), fields);
  EXPECT_EQ(outcome("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"), "refused: its protocol is not TCP4, TCP6 or UNKNOWN");
  const std::string address = "refused: an address is not one of its protocol";
  EXPECT_EQ(outcome("PROXY TCP4 ::1 ::1 1 2\r\n"), address);
  EXPECT_EQ(outcome("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"), address);
  EXPECT_EQ(outcome("PROXY TCP6 [::1] ::1 1 2\r\n"), address);
  EXPECT_EQ(outcome("PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n"), address);
  const std::string port = "refused: a port is not a number up to 65535";
  EXPECT_EQ(outcome("PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n"), port);
  EXPECT_EQ(outcome("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n"), port);
  EXPECT_EQ(outcome("PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n"), port);
  EXPECT_EQ(outcome("PROXY UNKNOWN" + std::string(100, 'x')), "refused: its line is longer than 107 bytes");
  EXPECT_EQ(outcome("PROXY UNKNOWN \x01\r\n"), "refused: holds control characters");
}

TEST(ProxyProtocol, ReadsVersion2) {
  const std::string whole = v2("\x21\x11", kFour);
  EXPECT_EQ(outcome(whole + "xy"), "10.0.0.1 1234 -> 10.0.0.2 443 +2");
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_EQ(outcome(whole.substr(0, size)), "more") << size;
  const std::string six = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"s;
  EXPECT_EQ(outcome(v2("\x21\x21", six + six + "\0\x01\0\x02"s)), "2001:db8::1 1 -> 2001:db8::1 2 +0");
  EXPECT_EQ(outcome(v2("\x21\x31", std::string(216, 'u'))), "unknown +0");
  EXPECT_EQ(outcome(v2("\x20\0"s, "")), "unknown +0");
  EXPECT_EQ(outcome(v2("\x20\x11"s, "odd")), "unknown +0");  // LOCAL: whatever its addresses are
  EXPECT_EQ(outcome(v2("\x21\0"s, "anything")), "unknown +0");
  const std::string tlv = "\x02\0\x03www"s + "\xe0\0\0"s;
  EXPECT_EQ(outcome(v2("\x21\x11", kFour + tlv)), "10.0.0.1 1234 -> 10.0.0.2 443 +0");
}

TEST(ProxyProtocol, RefusesWhatIsNearlyVersion2) {
  EXPECT_EQ(outcome(v2("\x11\x11", kFour)), "refused: its version is not 2");
  EXPECT_EQ(outcome(v2("\x22\x11", kFour)), "refused: its command is neither LOCAL nor PROXY");
  EXPECT_EQ(outcome(v2("\x21\x41", kFour)), "refused: its address family does not exist");
  EXPECT_EQ(outcome(v2("\x21\x10", kFour)), "refused: its address family does not exist");
  EXPECT_EQ(outcome(v2("\x21\x12", kFour)), "refused: speaks of datagrams");
  EXPECT_EQ(outcome(v2("\x21\x21", kFour)), "refused: is too short for its addresses");
  EXPECT_EQ(outcome(v2("\x21\x11", std::string(5000, 'x'))), "refused: is longer than 4096 bytes");
  EXPECT_EQ(outcome(v2("\x21\x11", kFour + "\x02\0"s)), "refused: a TLV is cut off");
  EXPECT_EQ(outcome(v2("\x21\x11", kFour + "\x02\0\x04www"s)), "refused: a TLV is cut off");
}

TEST(ProxyProtocol, ChecksTheChecksum) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  std::string whole = v2("\x21\x11", kFour + "\x03\0\x04\0\0\0\0"s + "\x04\0\x01x"s);
  const std::uint32_t crc = crc32c(whole);
  const std::size_t at = 16 + 12 + 3;
  for (std::size_t i = 0; i < 4; ++i) whole[at + i] = static_cast<char>(crc >> (24 - 8 * i));
  EXPECT_EQ(outcome(whole), "10.0.0.1 1234 -> 10.0.0.2 443 +0");
  whole.back() = 'y';
  EXPECT_EQ(outcome(whole), "refused: its checksum is wrong");
  EXPECT_EQ(outcome(v2("\x21\x11", kFour + "\x03\0\x01x"s)), "refused: its checksum is wrong");
}

TEST(ProxyProtocol, WritesWhatItReads) {
  const auto end = [](std::string_view ip, std::uint16_t port) { return Endpoint{parse_ip(ip).value(), port}; };
  ProxyHeader header{.known = true, .source = end("192.0.2.1", 5), .destination = end("192.0.2.2", 443)};
  EXPECT_EQ(encode_proxy_v1(header), "PROXY TCP4 192.0.2.1 192.0.2.2 5 443\r\n");
  EXPECT_EQ(outcome(encode_proxy_v2(header)), "192.0.2.1 5 -> 192.0.2.2 443 +0");
  header.source = end("2001:db8::5", 5);
  EXPECT_EQ(encode_proxy_v1(header), "PROXY UNKNOWN\r\n");
  EXPECT_EQ(outcome(encode_proxy_v2(header)), "unknown +0");
  header.destination = end("::1", 443);
  EXPECT_EQ(encode_proxy_v1(header), "PROXY TCP6 2001:db8::5 ::1 5 443\r\n");
  EXPECT_EQ(outcome(encode_proxy_v2(header)), "2001:db8::5 5 -> ::1 443 +0");
}

}  // namespace
}  // namespace berth::edge
