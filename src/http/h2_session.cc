#include "http/h2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>

namespace berth::http {
namespace {

constexpr std::size_t kMostSettingsEntries = 32, kMostContinuations = 8, kMostUnsentAcks = 256;
constexpr std::size_t kFrameHead = 9;
// Of one block of fields once it is unpacked: references of a byte each name fields of 4 KiB.
constexpr std::size_t kMostBlock = 256u << 10, kFieldCost = 32;

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* value) const {
    Free(value);
  }
};
using Callbacks = std::unique_ptr<nghttp2_session_callbacks, Deleter<nghttp2_session_callbacks_del>>;
using Option = std::unique_ptr<nghttp2_option, Deleter<nghttp2_option_del>>;
using Session = std::unique_ptr<nghttp2_session, Deleter<nghttp2_session_del>>;

nghttp2_nv field_of(std::string_view name, std::string_view value) {
  // The library copies both and writes names in lower case; it does not write through these pointers.
  const auto* n = reinterpret_cast<const std::uint8_t*>(name.data());
  const auto* v = reinterpret_cast<const std::uint8_t*>(value.data());
  return {const_cast<std::uint8_t*>(n), const_cast<std::uint8_t*>(v), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

std::string_view view(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

struct H2Session::Parts {
  H2Events& events;
  Session session{};
  H2Guard guard;
  std::string* target = nullptr;  ///< of pull()
  std::size_t most = 0;
  bool server = true, holds_streams_only = false, settled = false;
  std::size_t block = 0;             ///< bytes of the fields that came since the block began
  std::vector<nghttp2_nv> fields{};  ///< reused

  static Parts& of(void* user) { return *static_cast<Parts*>(user); }
  H2Stream* stream(std::int32_t id) const {
    return static_cast<H2Stream*>(nghttp2_session_get_stream_user_data(session.get(), id));
  }

  /// A reset that we did not choose: those are none, internal, refused_stream and cancel.
  static bool is_forced(std::uint32_t error) {
    return error == NGHTTP2_PROTOCOL_ERROR || error == NGHTTP2_FLOW_CONTROL_ERROR || error == NGHTTP2_STREAM_CLOSED ||
           error == NGHTTP2_FRAME_SIZE_ERROR || error == NGHTTP2_COMPRESSION_ERROR;
  }

  // What nghttp2 calls. 0: go on.

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Parts& self = of(user);
    self.block = 0;
    if (!self.server || frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    H2Stream* made = self.events.on_begin(frame->hd.stream_id);
    if (!made) {
      nghttp2_submit_rst_stream(self.session.get(), NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    made->id = frame->hd.stream_id;
    nghttp2_session_set_stream_user_data(self.session.get(), frame->hd.stream_id, made);
    return 0;
  }

  // NOLINTNEXTLINE(readability-function-size): nghttp2's signature.
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, nghttp2_rcbuf* name, nghttp2_rcbuf* value,
                       std::uint8_t, void* user) {
    Parts& self = of(user);
    H2Stream* stream = self.stream(frame->hd.stream_id);
    const nghttp2_vec n = nghttp2_rcbuf_get_buf(name), v = nghttp2_rcbuf_get_buf(value);
    self.block += n.len + v.len + kFieldCost;
    if (self.block > kMostBlock) {  // the rest of the block is no longer looked at
      nghttp2_session_terminate_session(self.session.get(), NGHTTP2_ENHANCE_YOUR_CALM);
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    if (stream) self.events.on_field(*stream, view(n.base, n.len), view(v.base, v.len));
    return 0;
  }

  // A field with a forbidden byte makes the message malformed (RFC 9113 8.2.1); the library would only leave it out.
  // NOLINTNEXTLINE(readability-function-size): nghttp2's signature.
  static int on_invalid_header(nghttp2_session*, const nghttp2_frame* frame, nghttp2_rcbuf*, nghttp2_rcbuf*,
                               std::uint8_t, void* user) {
    nghttp2_submit_rst_stream(of(user).session.get(), NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_PROTOCOL_ERROR);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int on_frame_recv(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Parts& self = of(user);
    if (frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) self.settled = true;
    const bool headers = frame->hd.type == NGHTTP2_HEADERS, data = frame->hd.type == NGHTTP2_DATA;
    H2Stream* stream = headers || data ? self.stream(frame->hd.stream_id) : nullptr;
    if (!stream) return 0;
    stream->in_ended = stream->in_ended || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (headers)
      self.events.on_fields_end(*stream);
    else if (stream->in_ended)
      self.events.on_in_end(*stream);
    return 0;
  }

  // NOLINTNEXTLINE(readability-function-size): nghttp2's signature.
  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                     std::size_t size, void* user) {
    Parts& self = of(user);
    H2Stream* stream = self.stream(id);
    if (!stream || self.holds_streams_only) nghttp2_session_consume_connection(session, size);
    if (stream) self.events.on_data(*stream, view(bytes, size));
    return 0;
  }

  static int on_frame_send(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Parts& self = of(user);
    const nghttp2_frame_hd& hd = frame->hd;
    if (hd.type == NGHTTP2_RST_STREAM) {
      self.guard.we_reset(hd.stream_id);
      if (is_forced(frame->rst_stream.error_code)) self.guard.forced_reset();
    }
    const bool ends = (hd.type == NGHTTP2_HEADERS || hd.type == NGHTTP2_DATA) && (hd.flags & NGHTTP2_FLAG_END_STREAM);
    H2Stream* stream = ends ? self.stream(hd.stream_id) : nullptr;
    if (!stream) return 0;
    stream->out_closed = true;
    // The answer is complete: what is left of the request is of no use (RFC 9113 8.1).
    if (self.server && !stream->in_ended) self.reset(*stream, H2Error::none);
    return 0;
  }

  static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
    Parts& self = of(user);
    H2Stream* stream = self.stream(id);
    if (!stream) return 0;
    stream->id = 0;
    nghttp2_session_set_stream_user_data(self.session.get(), id, nullptr);
    self.events.on_close(*stream, error);
    return 0;
  }

  static ssize_t on_send(nghttp2_session*, const std::uint8_t* bytes, std::size_t size, int, void* user) {
    Parts& self = of(user);
    if (self.target->size() >= self.most) return NGHTTP2_ERR_WOULDBLOCK;
    self.target->append(view(bytes, size));
    return static_cast<ssize_t>(size);
  }

  // NOLINTNEXTLINE(readability-function-size): nghttp2's signature.
  static ssize_t on_read(nghttp2_session* session, std::int32_t id, std::uint8_t*, std::size_t most,
                         std::uint32_t* flags, nghttp2_data_source* source, void*) {
    H2Stream& stream = *static_cast<H2Stream*>(source->ptr);
    const std::size_t count = std::min(most, stream.waiting());
    if (count == 0 && !stream.out_ended) {
      stream.deferred = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (count < stream.waiting() || !stream.out_ended) return static_cast<ssize_t>(count);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!stream.trailers.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      std::vector<nghttp2_nv> fields;
      for (const auto& [name, value] : stream.trailers) fields.push_back(field_of(name, value));
      nghttp2_submit_trailer(session, id, fields.data(), fields.size());
    }
    return static_cast<ssize_t>(count);
  }

  // NOLINTNEXTLINE(readability-function-size): nghttp2's signature.
  static int on_send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* head, std::size_t size,
                          nghttp2_data_source* source, void* user) {
    Parts& self = of(user);
    if (self.target->size() >= self.most) return NGHTTP2_ERR_WOULDBLOCK;
    H2Stream& stream = *static_cast<H2Stream*>(source->ptr);
    self.target->append(view(head, 9)).append(stream.out, stream.sent, size);
    static_cast<void>(frame);  // never padded
    stream.sent += size;
    if (stream.sent == stream.out.size()) {
      stream.out.clear();
      stream.sent = 0;
    }
    self.guard.sent(size);
    self.events.on_sent(stream);
    return 0;
  }

  // NOLINTNEXTLINE(readability-function-size): nghttp2's signature.
  static ssize_t on_length(nghttp2_session*, std::uint8_t, std::int32_t, std::int32_t connection, std::int32_t stream,
                           std::uint32_t frame, void*) {
    return std::min({static_cast<ssize_t>(connection), static_cast<ssize_t>(stream), static_cast<ssize_t>(frame)});
  }

  void reset(const H2Stream& stream, H2Error error) {
    nghttp2_submit_rst_stream(session.get(), NGHTTP2_FLAG_NONE, stream.id, static_cast<std::uint32_t>(error));
  }

  static Callbacks callbacks() {
    nghttp2_session_callbacks* made = nullptr;
    nghttp2_session_callbacks_new(&made);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(made, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(made, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, on_frame_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
    nghttp2_session_callbacks_set_send_callback(made, on_send);
    nghttp2_session_callbacks_set_send_data_callback(made, on_send_data);
    nghttp2_session_callbacks_set_data_source_read_length_callback(made, on_length);
    return Callbacks(made);
  }

  static Option limits() {
    nghttp2_option* made = nullptr;
    nghttp2_option_new(&made);
    nghttp2_option_set_no_auto_window_update(made, 1);  // a reader that is slow holds the sender back
    nghttp2_option_set_no_closed_streams(made, 1);
    nghttp2_option_set_max_outbound_ack(made, kMostUnsentAcks);
    nghttp2_option_set_max_settings(made, kMostSettingsEntries);
    nghttp2_option_set_max_continuations(made, kMostContinuations);
    return Option(made);
  }

  Result<void> receive(std::string_view bytes) {
    if (bytes.empty()) return {};
    const auto* from = reinterpret_cast<const std::uint8_t*>(bytes.data());
    const ssize_t taken = nghttp2_session_mem_recv(session.get(), from, bytes.size());
    if (taken < 0) return fail(Code::invalid, nghttp2_strerror(static_cast<int>(taken)));
    return {};
  }

  int submit(H2Stream& stream, bool request, bool has_body) {
    nghttp2_data_provider provider{.source = {.ptr = &stream}, .read_callback = on_read};
    nghttp2_data_provider* body = has_body ? &provider : nullptr;
    stream.out_ended = stream.out_ended || !has_body;
    if (request) return nghttp2_submit_request(session.get(), nullptr, fields.data(), fields.size(), body, &stream);
    return nghttp2_submit_response(session.get(), stream.id, fields.data(), fields.size(), body);
  }
};

H2Session::H2Session(const H2Options& options, H2Events& events)
    : parts_(std::make_unique<Parts>(events, Session{}, H2Guard(options.server))) {
  parts_->server = options.server;
  parts_->holds_streams_only = options.holds_streams_only;
  const Callbacks callbacks = Parts::callbacks();
  const Option limits = Parts::limits();
  nghttp2_session* made = nullptr;
  if (options.server)
    nghttp2_session_server_new2(&made, callbacks.get(), parts_.get(), limits.get());
  else
    nghttp2_session_client_new2(&made, callbacks.get(), parts_.get(), limits.get());
  parts_->session.reset(made);
  std::vector<nghttp2_settings_entry> entries{
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options.header_bytes},
  };
  if (options.server) {
    entries.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.streams});
    entries.push_back({NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1});
  } else {
    entries.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  }
  nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, entries.data(), entries.size());
  nghttp2_session_set_local_window_size(made, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(options.connection_window));
}

H2Session::~H2Session() = default;

Result<void> H2Session::feed(std::string_view bytes, std::int64_t now) {
  H2Guard& guard = parts_->guard;
  std::size_t seen = 0, at = 0;  // by the library, by the guard
  while (at < bytes.size()) {
    const std::size_t held = guard.held();  // of a head, from calls before
    const H2Guard::Step step = guard.step(bytes.substr(at));
    at += step.taken;
    // The library counts a CONTINUATION for each call that brings a part of its head: it gets heads in one piece.
    const std::size_t end = at - (step.is_head ? kFrameHead - held : guard.held() - held);
    const bool split = step.is_head && held > 0;
    const bool asks = step.is_head && guard.asks(step.head);
    if (!step.is_head || split || asks) {
      TRY(parts_->receive(bytes.substr(seen, end - seen)));
      seen = step.is_head ? end : at;
    }
    if (!step.is_head) break;
    const bool is_open = asks && parts_->stream(step.head.stream) != nullptr;
    const H2Error error = guard.judge(step.head, is_open, now);
    if (error != H2Error::none) {
      TRY(parts_->receive(bytes.substr(seen, end - seen)));
      nghttp2_session_terminate_session(parts_->session.get(), static_cast<std::uint32_t>(error));
      return fail(Code::invalid, "the peer breaks the rules of HTTP/2 or wastes our time");
    }
    if (!split) continue;
    TRY(parts_->receive(guard.head()));
    seen = at;
  }
  return parts_->receive(bytes.substr(seen));
}

void H2Session::pull(std::string& out, std::size_t most) {
  parts_->target = &out;
  parts_->most = most;
  nghttp2_session_send(parts_->session.get());
}

bool H2Session::wants_write() const {
  return nghttp2_session_want_write(parts_->session.get()) != 0;
}

bool H2Session::wants_read() const {
  return nghttp2_session_want_read(parts_->session.get()) != 0;
}

void H2Session::respond(H2Stream& stream, int status, const std::vector<Field>& fields, bool has_body) {
  if (stream.id == 0) return;
  const std::array<char, 3> digits{static_cast<char>('0' + status / 100 % 10),
                                   static_cast<char>('0' + status / 10 % 10), static_cast<char>('0' + status % 10)};
  auto& made = parts_->fields;
  made.clear();
  made.push_back(field_of(":status", std::string_view(digits.data(), digits.size())));
  for (const auto& [name, value] : fields) made.push_back(field_of(name, value));
  parts_->submit(stream, false, has_body);
}

void H2Session::send_interim(H2Stream& stream, int status) {
  if (stream.id == 0) return;
  const std::string digits = std::to_string(status);
  const nghttp2_nv field = field_of(":status", digits);
  nghttp2_submit_headers(parts_->session.get(), NGHTTP2_FLAG_NONE, stream.id, nullptr, &field, 1, nullptr);
}

bool H2Session::request(H2Stream& stream, const std::vector<Field>& fields, bool has_body) {
  auto& made = parts_->fields;
  made.clear();
  for (const auto& [name, value] : fields) made.push_back(field_of(name, value));
  const int id = parts_->submit(stream, true, has_body);
  stream.id = std::max(id, 0);
  if (id > 0) parts_->guard.asked();
  return id > 0;
}

void H2Session::resume(H2Stream& stream) {
  if (stream.id == 0 || !stream.deferred) return;
  stream.deferred = false;
  nghttp2_session_resume_data(parts_->session.get(), stream.id);
}

void H2Session::consume(H2Stream& stream, std::size_t bytes) {
  if (bytes == 0) return;
  if (parts_->holds_streams_only) {
    if (stream.id != 0) nghttp2_session_consume_stream(parts_->session.get(), stream.id, bytes);
    return;
  }
  if (stream.id != 0)
    nghttp2_session_consume(parts_->session.get(), stream.id, bytes);
  else
    nghttp2_session_consume_connection(parts_->session.get(), bytes);
}

void H2Session::reset(H2Stream& stream, H2Error error) {
  if (stream.id != 0) parts_->reset(stream, error);
}

void H2Session::go_away(H2Error error) {
  nghttp2_session* session = parts_->session.get();
  const std::int32_t last = nghttp2_session_get_last_proc_stream_id(session);
  nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, last, static_cast<std::uint32_t>(error), nullptr, 0);
}

void H2Session::announce_end() {
  nghttp2_submit_shutdown_notice(parts_->session.get());
}

bool H2Session::may_request() const {
  nghttp2_session* session = parts_->session.get();
  return nghttp2_session_check_request_allowed(session) != 0;
}

bool H2Session::is_settled() const {
  return parts_->settled;
}

std::uint32_t H2Session::peer_streams() const {
  return nghttp2_session_get_remote_settings(parts_->session.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

std::int32_t H2Session::send_window() const {
  return nghttp2_session_get_remote_window_size(parts_->session.get());
}

void H2Session::ping() {
  nghttp2_submit_ping(parts_->session.get(), NGHTTP2_FLAG_NONE, nullptr);
}

bool H2Session::allows_connect_protocol() const {
  return nghttp2_session_get_remote_settings(parts_->session.get(), NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

}  // namespace berth::http
