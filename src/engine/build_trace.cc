#include "engine/build_trace.h"

#include <array>

#include "base/text.h"

namespace berth::engine {
namespace {

constexpr std::size_t kTailLines = 20;

// One field of a protobuf message.
struct Field {
  std::uint32_t number = 0;
  std::uint64_t value = 0;   // of a varint
  std::string_view bytes{};  // of a length-delimited one
  bool is_bytes = false;
};

// Reads a message field by field. The wire format: a varint key of number and type, then the value.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  // False at the end; Code::invalid for what is no message.
  Result<bool> next(Field& field) {
    if (rest_.empty()) return false;
    const std::uint64_t key = TRY(varint());
    field = {.number = static_cast<std::uint32_t>(key >> 3)};
    if (key >> 3 == 0 || key >> 32 != 0) return broken("a field number");
    switch (key & 7) {
      case 0:
        field.value = TRY(varint());
        return true;
      case 1:
        TRY(take(8));
        return true;
      case 2:
        field.is_bytes = true;
        field.bytes = TRY(take(TRY(varint())));
        return true;
      case 5:
        TRY(take(4));
        return true;
      default:
        return broken("a wire type");
    }
  }

 private:
  static std::unexpected<Error> broken(const char* what) {
    return fail(Code::invalid, std::string("the engine's build progress is not readable: ") + what);
  }
  Result<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return broken("a number is cut off");
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) return broken("a number is too long");
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    return broken("a number is too long");
  }
  Result<std::string_view> take(std::uint64_t size) {
    if (size > rest_.size()) return broken("a field is cut off");
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  std::string_view rest_;
};

template <class Take>
Result<void> each_field(std::string_view bytes, Take take) {
  Fields fields(bytes);
  Field field;
  while (TRY(fields.next(field))) TRY(take(field));
  return {};
}

Result<TraceTime> parse_time(std::string_view bytes) {
  std::int64_t seconds = 0, nanos = 0;
  TRY(each_field(bytes, [&](const Field& field) -> Result<void> {
    if (field.number == 1) seconds = static_cast<std::int64_t>(field.value);
    if (field.number == 2) nanos = static_cast<std::int64_t>(field.value);
    return {};
  }));
  constexpr std::int64_t kMost = std::int64_t{1} << 33;  // the year 2242
  if (seconds < -kMost || seconds > kMost || nanos < 0 || nanos > 999'999'999) return TraceTime{0};
  return seconds * 1'000'000'000 + nanos;
}

Result<TraceVertex> parse_vertex(std::string_view bytes) {
  TraceVertex out;
  TRY(each_field(bytes, [&](const Field& field) -> Result<void> {
    if (field.number == 1) out.digest = field.bytes;
    if (field.number == 3) out.name = field.bytes;
    if (field.number == 4) out.cached = field.value != 0;
    if (field.number == 5) out.started = TRY(parse_time(field.bytes));
    if (field.number == 6) out.completed = TRY(parse_time(field.bytes));
    if (field.number == 7) out.error = field.bytes;
    return {};
  }));
  return out;
}

Result<TraceStatus> parse_status(std::string_view bytes) {
  TraceStatus out;
  TRY(each_field(bytes, [&](const Field& field) -> Result<void> {
    if (field.number == 1) out.id = field.bytes;
    if (field.number == 2) out.vertex = field.bytes;
    if (field.number == 4) out.current = static_cast<std::int64_t>(field.value);
    if (field.number == 5) out.total = static_cast<std::int64_t>(field.value);
    if (field.number == 8) out.completed = field.is_bytes;
    return {};
  }));
  return out;
}

Result<TraceLog> parse_log(std::string_view bytes) {
  TraceLog out;
  TRY(each_field(bytes, [&](const Field& field) -> Result<void> {
    if (field.number == 1) out.vertex = field.bytes;
    if (field.number == 2) out.time = TRY(parse_time(field.bytes));
    if (field.number == 4) out.text = field.bytes;
    return {};
  }));
  return out;
}

Result<TraceWarning> parse_warning(std::string_view bytes) {
  TraceWarning out;
  TRY(each_field(bytes, [&](const Field& field) -> Result<void> {
    if (field.number == 1) out.vertex = field.bytes;
    if (field.number == 3) out.text = field.bytes;
    return {};
  }));
  return out;
}

// "0.412"
std::string seconds_text(TraceTime nanos, int digits) {
  if (nanos < 0) nanos = 0;
  const TraceTime unit = digits == 3 ? 1'000'000 : 100'000'000;
  const TraceTime base = digits == 3 ? 1000 : 10;
  const TraceTime value = (nanos + unit / 2) / unit;
  std::string fraction = std::to_string(value % base);
  while (fraction.size() < static_cast<std::size_t>(digits)) fraction.insert(fraction.begin(), '0');
  return std::to_string(value / base) + "." + fraction;
}

std::string size_text(std::int64_t bytes) {
  constexpr std::array<std::string_view, 4> kUnits{"B", "kB", "MB", "GB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  const std::string text = std::to_string(value);
  return text.substr(0, text.find('.') + (unit == 0 ? 0 : 3)) + std::string(kUnits[unit]);
}

std::string mark(std::size_t number) {
  return "#" + std::to_string(number) + " ";
}

}  // namespace

Result<Trace> parse_trace(std::string_view bytes) {
  Trace out;
  TRY(each_field(bytes, [&](const Field& field) -> Result<void> {
    if (field.number == 1) out.vertices.push_back(TRY(parse_vertex(field.bytes)));
    if (field.number == 2) out.statuses.push_back(TRY(parse_status(field.bytes)));
    if (field.number == 3) out.logs.push_back(TRY(parse_log(field.bytes)));
    if (field.number == 4) out.warnings.push_back(TRY(parse_warning(field.bytes)));
    return {};
  }));
  return out;
}

void TraceText::begin(Vertex& vertex, std::vector<std::string>& lines) {
  if (vertex.number != 0) return;
  vertex.number = ++shown_;
  lines.push_back(mark(vertex.number) + vertex.name);
}

void TraceText::see(const TraceVertex& seen, std::vector<std::string>& lines) {
  Vertex& vertex = vertices_[seen.digest];
  if (!seen.name.empty()) vertex.name = seen.name;
  if (seen.started && !vertex.started) vertex.started = seen.started;
  if (!seen.started && !seen.cached) return;
  begin(vertex, lines);
  if (vertex.over || !(seen.completed || seen.cached)) return;
  vertex.over = true;
  if (!vertex.rest.empty()) lines.push_back(mark(vertex.number) + vertex.rest);
  vertex.rest.clear();
  if (!seen.error.empty()) {
    const bool canceled = seen.error.ends_with("context canceled");
    lines.push_back(mark(vertex.number) + (canceled ? "CANCELED" : "ERROR: " + seen.error));
    if (canceled || !failed_.empty()) return;
    failed_ = vertex.name;
    failed_digest_ = seen.digest;
  } else if (seen.cached) {
    lines.push_back(mark(vertex.number) + "CACHED");
  } else {
    lines.push_back(mark(vertex.number) + "DONE " + seconds_text(*seen.completed - *vertex.started, 1) + "s");
  }
}

void TraceText::see(const TraceLog& log, std::vector<std::string>& lines) {
  Vertex& vertex = vertices_[log.vertex];
  begin(vertex, lines);
  const std::string when = seconds_text(vertex.started ? log.time - *vertex.started : 0, 3) + " ";
  for (std::string_view rest = log.text; !rest.empty();) {
    const Cut parts = cut(rest, '\n');
    rest = parts.after;
    if (vertex.rest.empty()) vertex.rest = when;
    vertex.rest += parts.before;
    if (!parts.found && vertex.rest.size() < 16384) break;
    if (vertex.tail.size() == kTailLines) vertex.tail.erase(vertex.tail.begin());
    vertex.tail.push_back(vertex.rest);
    lines.push_back(mark(vertex.number) + vertex.rest);
    vertex.rest.clear();
  }
}

void TraceText::see(const TraceStatus& status, std::vector<std::string>& lines) {
  const auto found = vertices_.find(status.vertex);
  if (found == vertices_.end() || found->second.number == 0 || !status.completed) return;
  std::string line = mark(found->second.number) + status.id;
  if (status.current > 0) line += " " + size_text(status.current);
  lines.push_back(line + " done");
}

std::vector<std::string> TraceText::add(const Trace& trace) {
  std::vector<std::string> lines;
  // A vertex may end in the message that brings its last words.
  for (const TraceVertex& vertex : trace.vertices) {
    Vertex& known = vertices_[vertex.digest];
    if (!vertex.name.empty()) known.name = vertex.name;
    if (vertex.started && !known.started) known.started = vertex.started;
    if (vertex.started) begin(known, lines);
  }
  for (const TraceStatus& status : trace.statuses) see(status, lines);
  for (const TraceLog& log : trace.logs) see(log, lines);
  for (const TraceWarning& warning : trace.warnings) {
    const auto found = vertices_.find(warning.vertex);
    const std::size_t number = found == vertices_.end() ? 0 : found->second.number;
    lines.push_back((number ? mark(number) : std::string()) + "WARN: " + warning.text);
  }
  for (const TraceVertex& vertex : trace.vertices) see(vertex, lines);
  return lines;
}

std::string TraceText::failed_output() const {
  const auto found = vertices_.find(failed_digest_);
  return found == vertices_.end() ? std::string() : join(found->second.tail, "\n");
}

}  // namespace berth::engine
