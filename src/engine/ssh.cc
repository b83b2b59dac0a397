#include "engine/ssh.h"

#include <csignal>

#include "base/hash.h"
#include "io/file.h"
#include "io/process.h"
#include "io/seal.h"

namespace berth::engine {
namespace {

using io::Direction;
using std::chrono::milliseconds;

constexpr auto kLogin = std::chrono::seconds(20);
constexpr std::size_t kMostErrors = 8u << 10;

// What a child writes to its standard error, without waiting.
class Errors {
 public:
  /// True at its end.
  bool drain(io::Stream& stream) {
    char buffer[1024];
    while (!ended_) {
      const io::Attempt attempt = stream.try_read(buffer);
      if (attempt.state == io::Attempt::blocked) return false;
      ended_ = attempt.state != io::Attempt::moved;
      if (!ended_ && text_.size() < kMostErrors) text_.append(buffer, attempt.count);
    }
    return true;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool ended_ = false;
};

// Ctrl-C of a terminal ends what berth decides, not the way to the engine. The child ends with us.
Result<std::unique_ptr<io::Process>> start(io::Loop& loop, std::vector<std::string> argv, io::Command::Pipe input) {
  using Pipe = io::Command::Pipe;
  return io::Process::start(loop, {.argv = std::move(argv),
                                   .input = input,
                                   .output = input == Pipe::pipe ? Pipe::pipe : Pipe::none,
                                   .errors = Pipe::pipe,
                                   .death_signal = SIGTERM,
                                   .new_session = true});
}

// A connection: the child's input and output. One that ends before it gave anything says why.
class SshStream final : public io::Stream {
 public:
  SshStream(Address address, std::unique_ptr<io::Process> process)
      : address_(std::move(address)), process_(std::move(process)) {}
  ~SshStream() override { close(); }

  io::Attempt try_read(std::span<char> into) override {
    errors_.drain(*process_->errors);
    if (!asking_why_) {
      const io::Attempt attempt = process_->output->try_read(into);
      answered_ = answered_ || attempt.state == io::Attempt::moved;
      if (attempt.state != io::Attempt::end || answered_) return attempt;
      asking_why_ = true;
    }
    return {errors_.drain(*process_->errors) ? io::Attempt::failed : io::Attempt::blocked, 0};
  }
  io::Attempt try_write(std::string_view from) override {
    const io::Attempt attempt = process_->input->try_write(from);
    if (attempt.state == io::Attempt::failed) errors_.drain(*process_->errors);
    return attempt;
  }
  io::WaitList& waiters(Direction direction) override { return of(direction).waiters(direction); }
  bool ready_now(Direction direction) override { return of(direction).ready_now(direction); }
  void shutdown_write() override { process_->input->close(); }
  void close() override {
    if (closed_) return;
    closed_ = true;
    for (const auto& stream : {process_->input.get(), process_->output.get(), process_->errors.get()}) stream->close();
    process_->kill(SIGTERM);
  }
  Error error() const override { return explain_ssh(address_, errors_.text()); }
  std::string peer() const override { return address_.text(); }

 private:
  io::Stream& of(Direction direction) {
    if (direction == Direction::write) return *process_->input;
    return asking_why_ ? *process_->errors : *process_->output;
  }

  Address address_;
  std::unique_ptr<io::Process> process_;
  Errors errors_;
  bool answered_ = false;
  bool asking_why_ = false;  ///< the output ended: what the child wrote about it is still to come
  bool closed_ = false;
};

class SshDialer final : public io::Dialer {
 public:
  SshDialer(Address address, SshFiles files) : address_(std::move(address)), files_(std::move(files)) {
    if (!files_.control_folder.empty()) control_ = files_.control_folder + "/" + to_hex(io::random_bytes(8));
  }
  ~SshDialer() override {
    if (login_) login_->kill(SIGTERM);
  }
  std::string name() const override { return address_.text(); }
  io::Task<Result<std::unique_ptr<io::Stream>>> dial() override {
    if (!control_.empty()) CO_TRY(co_await share());
    io::Loop& loop = *(co_await io::here()).loop;
    auto child = start(loop, ssh_connection(address_, files_, control_), io::Command::Pipe::pipe);
    if (!child) co_return fail(std::move(child.error()).within(name()));
    co_return std::make_unique<SshStream>(address_, std::move(*child));
  }

 private:
  // The login that all connections share: there when this succeeds.
  io::Task<Result<void>> share() {
    CO_TRY(co_await one_.acquire());
    auto done = co_await io::within(kLogin, log_in());
    one_.release();
    if (!done && done.error().code == Code::timeout)
      co_return fail(Code::timeout, name() + ": no login within " + std::to_string(kLogin.count()) + " s");
    co_return done;
  }

  io::Task<Result<void>> log_in() {
    if (login_) errors_.drain(*login_->errors);
    if (login_ && co_await stands()) co_return Result<void>{};
    if (login_) login_->kill(SIGTERM);
    CO_TRY(io::make_folder(files_.control_folder, 0700));
    errors_ = Errors();
    auto child = start(*(co_await io::here()).loop, ssh_login(address_, files_, control_), io::Command::Pipe::none);
    if (!child) co_return fail(std::move(child.error()).within(name()));
    login_ = std::move(*child);
    while (!co_await stands()) {
      const bool ended = errors_.drain(*login_->errors);
      if (ended) {
        login_.reset();
        co_return fail(explain_ssh(address_, errors_.text()));
      }
      CO_TRY(co_await io::sleep_for(milliseconds(20)));
    }
    co_return Result<void>{};
  }

  // Whether ssh takes connections for the login.
  io::Task<bool> stands() {
    if (!io::exists(control_)) co_return false;
    co_return (co_await io::UnixDialer(control_).dial()).has_value();
  }

  Address address_;
  SshFiles files_;
  std::string control_;  ///< the socket; "": not shared
  std::unique_ptr<io::Process> login_;
  Errors errors_;  ///< of login_
  io::Semaphore one_{1};
};

}  // namespace

std::unique_ptr<io::Dialer> ssh_dialer(Address address, SshFiles files) {
  return std::make_unique<SshDialer>(std::move(address), std::move(files));
}

}  // namespace berth::engine
