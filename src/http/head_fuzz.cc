// Heads and chunked bodies from arbitrary bytes. What must hold: a head is the same however its bytes arrive; what we
// write back is read as the same head; a body decodes to the same data however its bytes arrive.
#include <cstdlib>

#include "http/body.h"
#include "http/head.h"

namespace {

using namespace berth::http;

void require(bool holds) {
  if (!holds) std::abort();
}

bool same_fields(const Fields& a, const Fields& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Field& left = a.begin()[i];
    const Field& right = b.begin()[i];
    if (left.name != right.name || left.value != right.value) return false;
  }
  return true;
}

bool same_head(const RequestHead& a, const RequestHead& b) {
  return a.method == b.method && a.target == b.target && a.path == b.path && a.query == b.query &&
         a.authority == b.authority && a.framing.chunked == b.framing.chunked && a.framing.length == b.framing.length &&
         same_fields(a.fields, b.fields);
}
bool same_head(const ResponseHead& a, const ResponseHead& b) {
  return a.status == b.status && a.reason == b.reason && a.framing.chunked == b.framing.chunked &&
         a.framing.length == b.framing.length && same_fields(a.fields, b.fields);
}

Parsed parse(std::string_view text, RequestHead& head) {
  return parse_request(text, head);
}
Parsed parse(std::string_view text, ResponseHead& head) {
  return parse_response(text, head);
}

template <class Head>
void check_head(std::string_view text) {
  Head head;
  const Parsed parsed = parse(text, head);
  if (parsed.state == Parsed::State::complete) {
    require(parsed.consumed > 0 && parsed.consumed <= text.size());
    require(!(head.framing.chunked && head.framing.length));
    // Only the head's own bytes decide.
    Head alone;
    require(parse(text.substr(0, parsed.consumed), alone).consumed == parsed.consumed);
    require(same_head(head, alone));
    std::string written;
    append_head(written, head);
    Head again;
    const bool downgraded = head.minor == 0;  // written as 1.1, which wants a Host
    const Parsed reparsed = parse(written, again);
    require(downgraded || (reparsed.state == Parsed::State::complete && reparsed.consumed == written.size()));
    require(downgraded || same_head(head, again));
  }
  // A prefix is never complete earlier, and never refused where the whole is complete.
  const std::size_t end = parsed.state == Parsed::State::complete ? parsed.consumed : text.size();
  const std::size_t step = end / 16 + 1;
  for (std::size_t size = 0; size < end; size += step) {
    Head prefix;
    const Parsed early = parse(text.substr(0, size), prefix);
    require(early.state != Parsed::State::complete);
    if (early.state == Parsed::State::refused) require(parsed.state == Parsed::State::refused);
  }
}

std::string decode(std::string_view text, std::size_t piece, bool& ended, bool& refused) {
  BodyDecoder decoder({BodyKind::End::chunked, 0});
  std::string data;
  while (true) {
    std::string_view part = text.substr(0, piece);
    const std::size_t before = part.size();
    const BodyDecoder::Step step = decoder.next(part);
    text.remove_prefix(before - part.size());
    data += step.data;
    ended = step.what == BodyDecoder::Next::end;
    refused = step.what == BodyDecoder::Next::refused;
    if (ended || refused || (step.what == BodyDecoder::Next::need_more && text.empty())) return data;
  }
}

void check_body(std::string_view text) {
  bool ended = false;
  bool refused = false;
  const std::string whole = decode(text, text.size() + 1, ended, refused);
  for (const std::size_t piece : {1u, 3u}) {
    bool split_ended = false;
    bool split_refused = false;
    require(decode(text, piece, split_ended, split_refused) == whole);
    require(split_ended == ended && split_refused == refused);
  }
  if (!ended) return;
  std::string written;
  if (!whole.empty()) {
    append_chunk_size(written, whole.size());
    written.append(whole).append(kChunkEnd);
  }
  written.append(kLastChunk);
  require(decode(written, 7, ended, refused) == whole && ended);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  check_head<RequestHead>(text);
  check_head<ResponseHead>(text);
  check_body(text);
  return 0;
}
