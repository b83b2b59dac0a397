#include "io/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <new>

namespace berth::io {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BERTH_PLAIN_FRAMES 1  // let the sanitizer see every frame's life
#endif
#endif

#ifndef BERTH_PLAIN_FRAMES
// Free lists of frames by size class of 64 bytes; what is larger goes to the heap.
struct FramePool {
  static constexpr std::size_t kStep = 64, kClasses = 64, kKept = 256;
  struct Free {
    Free* next;
  };
  std::array<Free*, kClasses> lists{};
  std::array<std::size_t, kClasses> counts{};
  ~FramePool() {
    for (Free* list : lists)
      while (list) ::operator delete(std::exchange(list, list->next));
  }
};
thread_local FramePool frames;
#endif

/// Of work before descriptors and timers are looked at again. With the heavy step that each turn has room for, and that
/// may begin when this is over, a turn takes a millisecond.
constexpr auto kMostTurn = std::chrono::microseconds(600);

class EpollPoller final : public Poller {
 public:
  EpollPoller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    if (epoll_ < 0 || wake_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) < 0) {
      std::perror("berth: cannot make an event loop (epoll, eventfd)");
      std::abort();
    }
  }
  ~EpollPoller() override {
    ::close(epoll_);
    ::close(wake_);
  }
  Time now() override { return Clock::now(); }
  void interrupt() override {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
  }
  Result<void> add(Descriptor& descriptor) override {
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = &descriptor}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor.fd, &event) < 0)
      return fail(Code::internal, std::string("cannot watch a descriptor: ") + std::strerror(errno));
    return {};
  }
  void remove(Descriptor& descriptor) override {
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor.fd, nullptr);
    for (int i = next_; i < count_; ++i)
      if (events_[static_cast<std::size_t>(i)].data.ptr == &descriptor) events_[static_cast<std::size_t>(i)].events = 0;
  }
  void wait(std::optional<Duration> most, Loop&) override {
    int timeout = -1;
    if (most) {
      // Rounded up: a timer never fires early, and a loop never spins in the millisecond before one.
      const auto ms = std::chrono::ceil<std::chrono::milliseconds>(*most).count();
      timeout = static_cast<int>(std::clamp<decltype(ms)>(ms, 0, 3'600'000));
    }
    count_ = std::max(0, ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout));
    for (next_ = 0; next_ < count_;) dispatch(events_[static_cast<std::size_t>(next_++)]);
    count_ = next_ = 0;
  }

 private:
  void dispatch(const epoll_event& event) {
    if (event.data.ptr == nullptr) {
      std::uint64_t ignored;
      [[maybe_unused]] const auto got = ::read(wake_, &ignored, sizeof ignored);
      return;
    }
    auto& descriptor = *static_cast<Descriptor*>(event.data.ptr);
    if (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) descriptor.hung_up = true;
    if (event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
      descriptor.readable = true;
      descriptor.readers.wake_all();
    }
    if (event.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
      descriptor.writable = true;
      descriptor.writers.wake_all();
    }
  }
  int epoll_, wake_;
  std::array<epoll_event, 256> events_;
  int next_ = 0, count_ = 0;
};

}  // namespace

#ifdef BERTH_PLAIN_FRAMES
// Each is an allocation of its own for the sanitizers, but none for a test that counts `operator new`.
void* Frame::operator new(std::size_t size) {
  void* frame = std::malloc(size);
  if (!frame) std::abort();
  return frame;
}
void Frame::operator delete(void* frame, std::size_t) {
  std::free(frame);
}
#else
void* Frame::operator new(std::size_t size) {
  const std::size_t index = (size - 1) / FramePool::kStep;
  if (index >= FramePool::kClasses) return ::operator new(size);
  if (auto* frame = frames.lists[index]) {
    frames.lists[index] = frame->next;
    --frames.counts[index];
    return frame;
  }
  return ::operator new((index + 1) * FramePool::kStep);
}

void Frame::operator delete(void* frame, std::size_t size) {
  const std::size_t index = (size - 1) / FramePool::kStep;
  if (index >= FramePool::kClasses || frames.counts[index] >= FramePool::kKept) {
    ::operator delete(frame);
    return;
  }
  frames.lists[index] = ::new (frame) FramePool::Free{frames.lists[index]};
  ++frames.counts[index];
}
#endif

void detail::destroyed_while_waiting(const Frame& frame) {
  std::fprintf(stderr, "berth: a task was destroyed while it waits at %s:%u\n", frame.begun.file_name(),
               static_cast<unsigned>(frame.begun.line()));
  std::abort();
}

// Waiter

bool Waiter::begin(std::coroutine_handle<> self, Context context) {
  context_ = context;
  cancelled_ = context.cancel->why_;
  if (cancelled_) return false;
  handle_ = self;
  cancel_previous_ = nullptr;
  cancel_next_ = context.cancel->waiters_;
  if (cancel_next_) cancel_next_->cancel_previous_ = this;
  context.cancel->waiters_ = this;
  return true;
}

void Waiter::complete() {
  if (cancel_previous_)
    cancel_previous_->cancel_next_ = cancel_next_;
  else
    context_.cancel->waiters_ = cancel_next_;
  if (cancel_next_) cancel_next_->cancel_previous_ = cancel_previous_;
  context_.loop->ready(std::exchange(handle_, nullptr));
}

void Waiter::abandon(Code why) {
  cancelled_ = why;
  detach();
  complete();
}

Result<void> Waiter::outcome() const {
  if (!cancelled_) return {};
  return fail(*cancelled_, *cancelled_ == Code::timeout ? "no answer before the deadline" : "cancelled");
}

void WaitList::add(Waiter& waiter) {
  waiter.list_previous_ = last_;
  waiter.list_next_ = nullptr;
  (last_ ? last_->list_next_ : first_) = &waiter;
  last_ = &waiter;
}

void WaitList::remove(Waiter& waiter) noexcept {
  (waiter.list_previous_ ? waiter.list_previous_->list_next_ : first_) = waiter.list_next_;
  (waiter.list_next_ ? waiter.list_next_->list_previous_ : last_) = waiter.list_previous_;
  waiter.list_previous_ = waiter.list_next_ = nullptr;
}

bool WaitList::wake_one() {
  if (!first_) return false;
  Waiter& waiter = *first_;
  remove(waiter);
  waiter.complete();
  return true;
}

void WaitList::wake_all() {
  while (wake_one()) {
  }
}

// Cancel

Cancel::Cancel(Cancel* parent) : parent_(parent) {
  if (!parent_) return;
  why_ = parent_->why_;
  next_ = parent_->first_;
  if (next_) next_->previous_ = this;
  parent_->first_ = this;
}

Cancel::~Cancel() {
  if (!parent_) return;
  (previous_ ? previous_->next_ : parent_->first_) = next_;
  if (next_) next_->previous_ = previous_;
}

void Cancel::request(Code why) {
  if (why_) return;
  why_ = why;
  while (waiters_) waiters_->abandon(why);
  for (Cancel* child = first_; child; child = child->next_) child->request(why);
}

// Timer: a binary heap, each timer knows its place

void Timer::arm(Time when) {
  disarm();
  when_ = when;
  order_ = loop_.armed_++;
  loop_.timers_.push_back(this);
  place_ = loop_.timers_.size() - 1;
  loop_.sift_up(place_);
}

void Timer::disarm() noexcept {
  if (place_ == kNowhere) return;
  const std::size_t at = std::exchange(place_, kNowhere);
  Timer* last = loop_.timers_.back();
  loop_.timers_.pop_back();
  if (last == this) return;
  loop_.place(at, last);
  loop_.sift_up(at);
  loop_.sift_down(last->place_);
}

bool Loop::earlier(const Timer& a, const Timer& b) {
  return a.when_ != b.when_ ? a.when_ < b.when_ : a.order_ < b.order_;
}

void Loop::place(std::size_t at, Timer* timer) {
  timers_[at] = timer;
  timer->place_ = at;
}

void Loop::sift_up(std::size_t at) {
  Timer* timer = timers_[at];
  for (; at > 0 && earlier(*timer, *timers_[(at - 1) / 2]); at = (at - 1) / 2) place(at, timers_[(at - 1) / 2]);
  place(at, timer);
}

void Loop::sift_down(std::size_t at) {
  Timer* timer = timers_[at];
  while (true) {
    std::size_t child = 2 * at + 1;
    if (child >= timers_.size()) break;
    if (child + 1 < timers_.size() && earlier(*timers_[child + 1], *timers_[child])) ++child;
    if (!earlier(*timers_[child], *timer)) break;
    place(at, timers_[child]);
    at = child;
  }
  place(at, timer);
}

// Loop

// A pipe has no MSG_NOSIGNAL: a child that ends before it read its input must be EPIPE in its writer, not the end of
// us.
Loop::Loop() : Loop(std::make_unique<EpollPoller>()) {
  std::signal(SIGPIPE, SIG_IGN);
}
Loop::Loop(std::unique_ptr<Poller> poller) : poller_(std::move(poller)), now_(poller_->now()) {
  // A turn in which one more thing than ever before comes together is no reason to allocate while a request waits.
  constexpr std::size_t kTogether = 64;
  ready_.reserve(kTogether);
  running_.reserve(kTogether);
  timers_.reserve(kTogether);
}
Loop::~Loop() = default;

void Loop::post(std::function<void()> function) {
  {
    std::lock_guard lock(mutex_);
    posted_.push_back(std::move(function));
  }
  poller_->interrupt();
}

void Loop::fire_timers() {
  while (!timers_.empty() && timers_.front()->when_ <= now_) {
    Timer* timer = timers_.front();
    timer->disarm();
    timer->fire();
  }
}

void Loop::turn() {
  std::optional<Duration> most;
  if (!ready_.empty() || !heavy_.empty()) {
    most = Duration::zero();
  } else if (!timers_.empty()) {
    most = std::max(Duration::zero(), timers_.front()->when_ - poller_->now());
  }
  poller_->wait(most, *this);
  now_ = poller_->now();
  fire_timers();
  std::vector<std::function<void()>> posted;
  {
    std::lock_guard lock(mutex_);
    posted.swap(posted_);
  }
  for (auto& function : posted) function();
  running_.swap(ready_);
  std::size_t done = 0;
  while (done < running_.size()) {
    running_[done++].resume();
    if (poller_->now() - now_ >= kMostTurn) break;
  }
  // What is left over runs before what became ready meanwhile: first come, first served.
  ready_.insert(ready_.begin(), running_.begin() + static_cast<std::ptrdiff_t>(done), running_.end());
  running_.clear();
  run_heavy();
}

void Loop::run_heavy() {
  // What becomes heavy again meanwhile waits for the next turn, also where time stands still.
  for (std::size_t left = heavy_.size(); left > 0; --left) {
    const auto coroutine = heavy_.front();
    heavy_.pop_front();
    coroutine.resume();
    if (poller_->now() - now_ >= kMostTurn) return;
  }
}

std::string Loop::describe() const {
  std::string out;
  for (const Frame* root : roots_) {
    int depth = 0;
    for (const Frame* frame = root; frame; frame = frame->child) {
      out.append(static_cast<std::size_t>(2 * depth++), ' ');
      out += std::string(frame->begun.function_name()) + " at " + frame->begun.file_name() + ":" +
             std::to_string(frame->begun.line()) + "\n";
    }
  }
  return out;
}

}  // namespace berth::io
