#include "edge/breaker.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/text.h"

namespace berth::edge {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Condition> parse() {
    if (text_.size() > 1024) return fail(Code::invalid, "is longer than 1 KiB");
    Condition condition = TRY(any(0));
    skip();
    if (at_ != text_.size()) return wrong("unexpected text");
    return condition;
  }

 private:
  std::unexpected<Error> wrong(std::string_view what) const {
    return fail(Code::invalid, "column " + std::to_string(at_ + 1) + ": " + std::string(what));
  }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool take(std::string_view token) {
    skip();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  Result<Condition> any(int depth) {
    Condition out{.kind = Condition::Kind::any};
    do {
      out.children.push_back(TRY(all(depth)));
    } while (take("||"));
    return out;
  }
  Result<Condition> all(int depth) {
    Condition out{.kind = Condition::Kind::all};
    do {
      out.children.push_back(TRY(one(depth)));
    } while (take("&&"));
    return out;
  }
  Result<Condition> one(int depth) {
    if (depth > 32) return wrong("nested too deeply");
    if (take("!")) {
      Condition out{.kind = Condition::Kind::negation};
      out.children.push_back(TRY(one(depth + 1)));
      return out;
    }
    if (!take("(")) return compare();
    Condition inner = TRY(any(depth + 1));
    if (!take(")")) return wrong("a parenthesis is not closed");
    return inner;
  }

  Result<Condition> compare() {
    static constexpr std::pair<std::string_view, std::size_t> kFunctions[] = {
        {"NetworkErrorRatio", 0}, {"ResponseCodeRatio", 4}, {"LatencyAtQuantileMS", 1}, {"RequestThreshold", 0}};
    Condition out{.kind = Condition::Kind::compare};
    const auto* function = std::ranges::find_if(kFunctions, [&](const auto& each) { return take(each.first); });
    if (function == std::end(kFunctions)) {
      return wrong("expected NetworkErrorRatio, ResponseCodeRatio, LatencyAtQuantileMS or RequestThreshold");
    }
    out.function = static_cast<Condition::Function>(function - kFunctions);
    if (!take("(")) return wrong("expected (");
    while (!take(")")) {
      if (!out.arguments.empty() && !take(",")) return wrong("expected , or )");
      out.arguments.push_back(TRY(number()));
    }
    if (out.arguments.size() != function->second) {
      return wrong(std::string(function->first) + " takes " + std::to_string(function->second) + " arguments");
    }
    static constexpr std::pair<std::string_view, Condition::Operator> kOperators[] = {
        {"<=", Condition::Operator::at_most}, {">=", Condition::Operator::at_least}, {"==", Condition::Operator::equal},
        {"!=", Condition::Operator::unequal}, {"<", Condition::Operator::less},      {">", Condition::Operator::more}};
    const auto* sign = std::ranges::find_if(kOperators, [&](const auto& each) { return take(each.first); });
    if (sign == std::end(kOperators)) return wrong("expected a comparison");
    out.comparison = sign->second;
    out.value = TRY(number());
    return out;
  }

  Result<double> number() {
    skip();
    double value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc{} || !(value >= 0 && value < 1e9)) return wrong("expected a number");
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::uint64_t between(const Window::Sums& sums, double from, double to) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < sums.by_status.size(); ++i) {
    if (static_cast<double>(i) >= from && static_cast<double>(i) < to) count += sums.by_status[i];
  }
  return count;
}

double latency_at(const Window::Sums& sums, double quantile) {
  const double wanted = static_cast<double>(sums.requests) * std::min(quantile, 100.0) / 100.0;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < sums.by_latency.size(); ++i) {
    seen += sums.by_latency[i];
    if (seen > 0 && static_cast<double>(seen) >= wanted) return static_cast<double>(std::uint64_t{1} << i);
  }
  return 0;
}

double value_of(const Condition& condition, const Window::Sums& sums) {
  const auto& arguments = condition.arguments;
  switch (condition.function) {
    case Condition::Function::network_error_ratio:
      return ratio(sums.network_errors, sums.requests);
    case Condition::Function::response_code_ratio:
      return ratio(between(sums, arguments[0], arguments[1]), between(sums, arguments[2], arguments[3]));
    case Condition::Function::latency_at_quantile:
      return latency_at(sums, arguments[0]);
    case Condition::Function::request_threshold:
      return static_cast<double>(sums.requests);
  }
  return 0;
}

bool compares(const Condition& condition, double value) {
  switch (condition.comparison) {
    case Condition::Operator::less:
      return value < condition.value;
    case Condition::Operator::at_most:
      return value <= condition.value;
    case Condition::Operator::more:
      return value > condition.value;
    case Condition::Operator::at_least:
      return value >= condition.value;
    case Condition::Operator::equal:
      return value == condition.value;
    case Condition::Operator::unequal:
      return value != condition.value;
  }
  return false;
}

std::int64_t second_of(Window::Time now) {
  return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
}

}  // namespace

void Window::add(Time now, int status, std::chrono::milliseconds latency) {
  if (slices_.empty()) slices_.resize(kSlices);
  const std::int64_t second = second_of(now);
  Slice& slice = slices_[static_cast<std::size_t>(second % kSlices)];
  if (slice.second != second) slice = {.second = second, .sums = {}};
  ++slice.sums.requests;
  if (status == 0) ++slice.sums.network_errors;
  ++slice.sums.by_status[static_cast<std::size_t>(std::clamp(status, 0, 599))];
  std::size_t slot = 0;
  while (slot + 1 < slice.sums.by_latency.size() && latency.count() >= (std::int64_t{1} << slot)) ++slot;
  ++slice.sums.by_latency[slot];
}

void Window::clear() {
  slices_.clear();
}

Window::Sums Window::sums(Time now) const {
  Sums out;
  const std::int64_t oldest = second_of(now) - kSlices;
  for (const Slice& slice : slices_) {
    if (slice.second <= oldest) continue;
    out.requests += slice.sums.requests;
    out.network_errors += slice.sums.network_errors;
    for (std::size_t i = 0; i < out.by_status.size(); ++i) out.by_status[i] += slice.sums.by_status[i];
    for (std::size_t i = 0; i < out.by_latency.size(); ++i) out.by_latency[i] += slice.sums.by_latency[i];
  }
  return out;
}

Result<Condition> parse_condition(std::string_view text) {
  return Parser(text).parse();
}

bool holds(const Condition& condition, const Window::Sums& sums) {
  const auto one = [&](const Condition& child) { return holds(child, sums); };
  switch (condition.kind) {
    case Condition::Kind::any:
      return std::ranges::any_of(condition.children, one);
    case Condition::Kind::all:
      return std::ranges::all_of(condition.children, one);
    case Condition::Kind::negation:
      return !one(condition.children.front());
    case Condition::Kind::compare:
      return compares(condition, value_of(condition, sums));
  }
  return false;
}

}  // namespace berth::edge
