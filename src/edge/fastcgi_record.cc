#include "edge/fastcgi_record.h"

#include <algorithm>

namespace berth::edge {
namespace {

constexpr int kVersion = 1, kBegin = 1, kEnd = 3, kParams = 4, kInput = 5, kOutput = 6, kErrors = 7;
constexpr std::size_t kMostContent = 0xfff8;  // a multiple of eight: no padding is worth it
constexpr std::size_t kMostParams = 256u << 10;
constexpr std::size_t kEndBody = 8;

void append_header(std::string& out, int type, std::size_t length) {
  const char header[8] = {kVersion,
                          static_cast<char>(type),
                          0,
                          1,
                          static_cast<char>(length >> 8 & 0xff),
                          static_cast<char>(length & 0xff),
                          0,
                          0};
  out.append(header, sizeof header);
}

void append_stream(std::string& out, int type, std::string_view data) {
  while (!data.empty()) {
    const std::string_view piece = data.substr(0, kMostContent);
    append_header(out, type, piece.size());
    out.append(piece);
    data.remove_prefix(piece.size());
  }
}

void append_size(std::string& out, std::size_t size) {
  if (size < 0x80) {
    out += static_cast<char>(size);
    return;
  }
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>((size >> shift & 0xff) | (shift == 24 ? 0x80 : 0));
}

}  // namespace

Result<std::string> fastcgi_begin(const CgiVars& vars) {
  std::string params;
  for (const auto& [name, value] : vars) {
    append_size(params, name.size());
    append_size(params, value.size());
    params.append(name).append(value);
    if (params.size() > kMostParams) return fail(Code::invalid, "the variables of the request are larger than 256 KiB");
  }
  std::string out;
  append_header(out, kBegin, 8);
  out.append(std::string_view("\0\1\0\0\0\0\0\0", 8));  // a responder; not kept alive
  append_stream(out, kParams, params);
  append_header(out, kParams, 0);
  return out;
}

void append_fastcgi_body(std::string& out, std::string_view piece) {
  append_stream(out, kInput, piece);
  if (piece.empty()) append_header(out, kInput, 0);
}

FastcgiDecoder::Step FastcgiDecoder::refuse(std::string_view reason) {
  over_ = true;
  return {.what = Step::refused, .reason = reason};
}

FastcgiDecoder::Step FastcgiDecoder::begin_record() {
  count_ = 0;
  type_ = bytes_[1];
  content_ = static_cast<std::size_t>(bytes_[4]) << 8 | bytes_[5];
  padding_ = bytes_[6];
  if (bytes_[0] != kVersion) return refuse("a record of another version");
  if (type_ != kEnd && type_ != kOutput && type_ != kErrors) return refuse("a record of a type that nobody asked for");
  if (bytes_[2] != 0 || bytes_[3] != 1) return refuse("a record of another request");
  if (type_ == kEnd && content_ != kEndBody) return refuse("an end of a wrong length");
  if (type_ == kOutput && output_ended_ && content_ > 0) return refuse("output behind its end");
  output_ended_ = output_ended_ || (type_ == kOutput && content_ == 0);
  return {};
}

FastcgiDecoder::Step FastcgiDecoder::take_content(std::string_view& input) {
  const std::string_view piece = input.substr(0, content_);
  input.remove_prefix(piece.size());
  content_ -= piece.size();
  if (type_ != kEnd) return {.what = type_ == kOutput ? Step::output : Step::errors, .data = piece};
  for (const char c : piece) bytes_[count_++] = static_cast<unsigned char>(c);
  if (content_ > 0) return {};
  over_ = true;
  return {.what = Step::end, .status = bytes_[4]};
}

/// Whether a record's header is complete.
bool FastcgiDecoder::take_header(std::string_view& input) {
  const std::size_t size = std::min(bytes_.size() - count_, input.size());
  std::copy_n(input.data(), size, bytes_.begin() + static_cast<std::ptrdiff_t>(count_));
  input.remove_prefix(size);
  count_ += size;
  return count_ == bytes_.size();
}

void FastcgiDecoder::skip_padding(std::string_view& input) {
  const std::size_t skipped = std::min(padding_, input.size());
  input.remove_prefix(skipped);
  padding_ -= skipped;
  if (padding_ == 0) type_ = 0;
}

FastcgiDecoder::Step FastcgiDecoder::next(std::string_view& input) {
  Step step;
  while (step.what == Step::need_more && !over_ && !input.empty()) {
    if (type_ == 0) {
      if (take_header(input)) step = begin_record();
    } else if (content_ > 0) {
      step = take_content(input);
    } else {
      skip_padding(input);
    }
  }
  return step;
}

}  // namespace berth::edge
