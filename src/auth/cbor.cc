#include "auth/cbor.h"

namespace berth::auth {
namespace {

constexpr int kDeepest = 8;
constexpr std::uint64_t kWidest = 1000;

std::unexpected<Error> malformed() {
  return fail(Code::invalid, "the authenticator's data is malformed");
}

Result<std::uint64_t> argument(std::string_view& text, unsigned low) {
  if (low < 24) return low;
  if (low > 27) return malformed();
  const std::size_t size = std::size_t{1} << (low - 24);
  if (text.size() < size) return malformed();
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(text[i]);
  text.remove_prefix(size);
  return value;
}

Result<Cbor> parse(std::string_view& text, int depth);

Result<Cbor> parse_items(std::string_view& text, Cbor::Kind kind, std::uint64_t count, int depth) {
  if (count > kWidest || depth >= kDeepest) return malformed();
  Cbor out{.kind = kind};
  const std::uint64_t all = kind == Cbor::Kind::map ? count * 2 : count;
  for (std::uint64_t i = 0; i < all; ++i) out.items.push_back(TRY(parse(text, depth + 1)));
  return out;
}

Result<Cbor> parse_text(std::string_view& text, Cbor::Kind kind, std::uint64_t size) {
  if (size > text.size()) return malformed();
  Cbor out{.kind = kind, .bytes = std::string(text.substr(0, size))};
  text.remove_prefix(size);
  return out;
}

Result<Cbor> parse(std::string_view& text, int depth) {
  if (text.empty()) return malformed();
  const auto first = static_cast<unsigned char>(text.front());
  text.remove_prefix(1);
  const std::uint64_t value = TRY(argument(text, first & 31U));
  const unsigned major = first >> 5U;
  if (major <= 1) {
    if (value > static_cast<std::uint64_t>(INT64_MAX)) return malformed();
    const auto number = static_cast<std::int64_t>(value);
    return Cbor{.kind = Cbor::Kind::number, .number = major == 0 ? number : -1 - number};
  }
  if (major == 2 || major == 3) return parse_text(text, major == 2 ? Cbor::Kind::bytes : Cbor::Kind::text, value);
  if (major == 4 || major == 5)
    return parse_items(text, major == 4 ? Cbor::Kind::array : Cbor::Kind::map, value, depth);
  // Truth values and null only.
  if (major == 7 && value >= 20 && value <= 22) return Cbor{.number = static_cast<std::int64_t>(value)};
  return malformed();
}

const Cbor kNothing{};

}  // namespace

const Cbor& Cbor::at(std::int64_t key) const {
  for (std::size_t i = 0; kind == Kind::map && i + 1 < items.size(); i += 2)
    if (items[i].kind == Kind::number && items[i].number == key) return items[i + 1];
  return kNothing;
}

const Cbor& Cbor::at(std::string_view key) const {
  for (std::size_t i = 0; kind == Kind::map && i + 1 < items.size(); i += 2)
    if (items[i].kind == Kind::text && items[i].bytes == key) return items[i + 1];
  return kNothing;
}

Result<Cbor> parse_cbor(std::string_view& text) {
  return parse(text, 0);
}

}  // namespace berth::auth
