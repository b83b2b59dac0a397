#include "compose/generation_store.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "io/file.h"

namespace berth::compose {
namespace {

constexpr std::string_view kEnding = ".generation";
constexpr std::size_t kLimit = 256u << 20;

// "12.generation" -> 12; 0 for anything else.
int number_of(std::string_view name) {
  if (!name.ends_with(kEnding)) return 0;
  name.remove_suffix(kEnding.size());
  int out = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), out);
  return error == std::errc{} && end == name.data() + name.size() && out > 0 ? out : 0;
}

// A writer that was killed leaves its temporary file: "12.generation.a1B2c3".
bool is_leftover(std::string_view name) {
  const std::size_t at = name.find(kEnding);
  return at != std::string_view::npos && at + kEnding.size() < name.size();
}

}  // namespace

std::string GenerationStore::folder_of(const std::string& state, const std::string& project,
                                       const std::string& engine) {
  return state + "/projects/" + project + '@' + engine;
}

std::string GenerationStore::path_of(int number) const {
  return folder_ + '/' + std::to_string(number) + std::string(kEnding);
}

std::vector<int> GenerationStore::numbers() const {
  std::vector<int> out;
  const auto names = io::list_folder(folder_);
  if (!names) return out;
  for (const auto& name : *names)
    if (const int number = number_of(name); number > 0) out.push_back(number);
  std::ranges::sort(out);
  return out;
}

Result<std::string> GenerationStore::text_of(int number) const {
  return io::read_file(path_of(number), kLimit);
}

std::vector<GenerationHead> GenerationStore::heads(std::vector<std::string>* damaged) const {
  std::vector<GenerationHead> out;
  auto all = numbers();
  std::ranges::reverse(all);
  for (const int number : all) {
    const auto text = text_of(number);
    auto head = text ? parse_head(cut(*text, '\n').before) : Result<GenerationHead>(fail(text.error()));
    if (head && head->number == number)
      out.push_back(*std::move(head));
    else if (damaged)
      damaged->push_back(path_of(number) + ": " + (head ? "it has another number in it" : head.error().message));
  }
  return out;
}

Result<Generation> GenerationStore::read(int number, const io::SealKey& key) const {
  auto text = text_of(number);
  if (!text && text.error().code == Code::not_found)
    return fail(Code::not_found, "there is no generation " + std::to_string(number) + "; see berth history");
  if (!text) return fail(std::move(text).error());
  const auto [head, sealed, found] = cut(*text, '\n');
  auto parsed = [&]() -> Result<Generation> {
    auto its_head = TRY(parse_head(head));
    if (its_head.number != number) return fail(Code::invalid, "it has another number in it");
    return parse_generation(std::move(its_head), TRY(key.open(sealed, head)));
  }();
  if (!parsed) return fail(std::move(parsed).error().within(path_of(number)));
  return parsed;
}

Result<int> GenerationStore::keep(Generation generation, const io::SealKey& key) {
  TRY(io::make_folder(folder_, 0700));
  const auto names = TRY(io::list_folder(folder_));
  for (const auto& name : names)
    if (is_leftover(name)) TRY(io::remove_file(folder_ + '/' + name));
  auto all = numbers();
  generation.head.number = all.empty() ? 1 : all.back() + 1;
  const auto head = head_text(generation.head);
  TRY(io::write_file(path_of(generation.head.number), head + '\n' + key.seal(body_text(generation), head), 0600));
  for (std::size_t old = 0; old + kGenerations <= all.size(); ++old) TRY(io::remove_file(path_of(all[old])));
  return generation.head.number;
}

}  // namespace berth::compose
