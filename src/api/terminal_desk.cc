#include "api/terminal_desk.h"

#include "auth/token.h"
#include "io/ident.h"
#include "io/seal.h"

namespace berth::api {
namespace {

using std::chrono::seconds;

constexpr auto kAlone = seconds(60), kTicket = seconds(30), kFarewell = seconds(1);
constexpr std::size_t kSecret = 32;

io::Task<Result<void>> happens(io::Event& event) {
  co_return co_await event.wait();
}

io::Task<Result<std::shared_ptr<Terminal>>> start(TerminalOrder order, std::shared_ptr<engine::Client> client) {
  engine::CreateExec create{
      .command = order.about.command, .user = order.about.user, .in = true, .out = true, .err = true, .tty = true};
  const std::string exec = CO_TRY(co_await engine::create_exec(*client, order.about.container, std::move(create)));
  auto line = CO_TRY(co_await engine::start_exec(*client, exec, true));
  order.about.id = io::new_id("term");
  auto made = std::make_shared<Terminal>(std::move(order.about), std::move(client), exec, std::move(line));
  co_await made->resize(order.columns, order.rows);
  co_return made;
}

}  // namespace

io::Task<void> TerminalDesk::run() {
  io::Scope scope(co_await io::here());
  scope_ = &scope;
  io::Event never;
  static_cast<void>(co_await never.wait());
  scope_ = nullptr;
  static_cast<void>(co_await io::shielded(end_all()));
  scope.cancel();
  co_await scope.join();
  kept_.clear();
}

io::Task<Result<void>> TerminalDesk::end_all() {
  for (const auto& terminal : all()) static_cast<void>(co_await io::within(kFarewell, terminal->type_end()));
  co_return Result<void>{};
}

io::Task<Result<std::shared_ptr<Terminal>>> TerminalDesk::open(TerminalOrder order,
                                                               std::shared_ptr<engine::Client> client) {
  if (kept_.size() + opening_ >= kMost)
    co_return fail(Code::conflict, std::to_string(kMost) + " terminals are open; end one first");
  ++opening_;
  auto made = co_await start(std::move(order), std::move(client));
  --opening_;
  if (!made) co_return made;
  if (!scope_) co_return fail(Code::unavailable, "berth is about to end");
  kept_.emplace((*made)->about().id, Kept{.terminal = *made});
  scope_->spawn(follow(*made));
  scope_->spawn(guard(*made));
  co_return made;
}

// For those who come back, the end stays for as long as the program would have.
io::Task<void> TerminalDesk::follow(std::shared_ptr<Terminal> terminal) {
  co_await terminal->read();
  if (!terminal->attached()) static_cast<void>(co_await io::sleep_for(kAlone));
  kept_.erase(terminal->about().id);
}

io::Task<void> TerminalDesk::guard(std::shared_ptr<Terminal> terminal) {
  const io::Context context = co_await io::here();
  while (!terminal->ended() && !context.cancel->requested()) {
    terminal->changed().reset();
    const auto changed = terminal->attached() ? co_await happens(terminal->changed())
                                              : co_await io::within(kAlone, happens(terminal->changed()));
    const bool alone = !changed && !terminal->attached() && !context.cancel->requested();
    if (alone) co_return co_await terminal->hang_up();
  }
}

std::shared_ptr<Terminal> TerminalDesk::find(std::string_view id) const {
  const auto at = kept_.find(id);
  return at == kept_.end() ? nullptr : at->second.terminal;
}

std::vector<std::shared_ptr<Terminal>> TerminalDesk::all() const {
  std::vector<std::shared_ptr<Terminal>> out;
  for (const auto& [id, kept] : kept_)
    if (!kept.terminal->ended()) out.push_back(kept.terminal);
  return out;
}

std::string TerminalDesk::ticket(const Terminal& terminal, std::string who, io::Time now) {
  std::string text = auth::secret_text(io::random_bytes(kSecret));
  if (const auto at = kept_.find(terminal.about().id); at != kept_.end())
    at->second.ticket = {.hash = auth::secret_hash(text), .who = std::move(who), .end = now + kTicket};
  return text;
}

Result<void> TerminalDesk::redeem(const Terminal& terminal, std::string_view ticket, std::string_view who,
                                  io::Time now) {
  const auto at = kept_.find(terminal.about().id);
  const bool fits = at != kept_.end() && !at->second.ticket.hash.empty() && at->second.ticket.who == who &&
                    now < at->second.ticket.end && auth::same_secret(at->second.ticket.hash, auth::secret_hash(ticket));
  if (!fits) return fail(Code::denied, "this ticket does not hold any more; ask for another one at .../tickets");
  at->second.ticket = {};
  return {};
}

}  // namespace berth::api
