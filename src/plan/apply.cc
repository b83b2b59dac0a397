#include "plan/apply.h"

#include "io/scope.h"
#include "plan/apply_effects.h"

namespace berth::plan {
namespace {

enum class Standing { open, done, failed };

// Every node is a task of its own: it waits for those before it, takes a permit, and takes effect.
class Run {
 public:
  Run(engine::Client& client, const Plan& plan, const ApplyOptions& options)
      : plan_(plan),
        options_(options),
        permits_(std::max<std::size_t>(1, options.parallel)),
        steps_(plan.nodes.size() + 1),
        effects_{.client = client, .options = options, .results = outcome_.results, .warnings = outcome_.warnings} {}

  io::Task<Result<Outcome>> all() {
    const io::Context context = co_await io::here();
    io::Scope scope(context);
    for (const Node& node : plan_.nodes) scope.spawn(one(node));
    co_await scope.join();
    if (const auto why = context.cancel->why()) co_return fail(*why, "interrupted");
    co_return std::move(outcome_);
  }

 private:
  struct Step {
    Standing standing = Standing::open;
    io::Event settled;
  };

  io::Task<void> one(const Node& node) {
    if (node.rescue) {
      co_await rescue(node);
      co_return;
    }
    const auto* pause = std::get_if<Pause>(&node.op);
    const bool clear = pause && pause->regardless ? co_await wait_for_all(node) : co_await wait_for_others(node);
    const io::Context context = co_await io::here();
    if (context.cancel->requested()) {
      settle(node, Standing::failed, Phase::cancelled, "");
    } else if (!clear) {
      ++outcome_.skipped;
      settle(node, Standing::failed, Phase::skipped, "something that it depends on failed");
    } else {
      co_await run(node);
    }
  }

  // Only a container that this plan made is undone, and only when something went wrong with it.
  io::Task<void> rescue(const Node& node) {
    bool failed = false;
    for (const int id : node.after) {
      Step& step = steps_[static_cast<std::size_t>(id)];
      if (!co_await step.settled.wait()) break;
      failed = failed || step.standing == Standing::failed;
    }
    const ContainerRef* container = container_of(node.op);
    const bool made = container && outcome_.results.contains(container->created_by);
    const io::Context context = co_await io::here();
    if (failed && made && !context.cancel->requested())
      co_await run(node);
    else
      settle(node, Standing::done, Phase::passed, "");
  }

  io::Task<bool> wait_for_others(const Node& node) {
    for (const int id : node.after) {
      Step& step = steps_[static_cast<std::size_t>(id)];
      if (!co_await step.settled.wait()) co_return false;
      if (step.standing == Standing::failed) co_return false;
    }
    co_return true;
  }

  // However they end.
  io::Task<bool> wait_for_all(const Node& node) {
    for (const int id : node.after)
      if (!co_await steps_[static_cast<std::size_t>(id)].settled.wait()) co_return false;
    co_return true;
  }

  io::Task<void> run(const Node& node) {
    const bool waits = is_wait(node.op);
    if (!waits && !co_await permits_.acquire()) {
      settle(node, Standing::failed, Phase::cancelled, "");
      co_return;
    }
    tell(node, Phase::started, "");
    // A wait ends with Ctrl-C; an effect that began is finished, for five seconds at most, so that its result is known.
    auto done =
        waits || is_long(node.op) ? co_await take_effect(effects_, node) : co_await finish(take_effect(effects_, node));
    if (!waits) permits_.release();
    const io::Context context = co_await io::here();
    if (done) {
      ++outcome_.done;
      settle(node, Standing::done, Phase::done, "");
    } else if (context.cancel->requested()) {
      settle(node, Standing::failed, Phase::cancelled, "");
    } else if (node.best_effort) {
      outcome_.warnings.push_back(done.error().message);
      settle(node, Standing::done, Phase::done, done.error().message);
    } else {
      settle(node, Standing::failed, Phase::failed, done.error().message);
      outcome_.failures.push_back({node.id, std::move(done).error()});
    }
  }

  // Pulls and builds are given up at once: the engine keeps the layers it has. So is a stop, which may take long.
  static bool is_long(const Op& op) {
    return std::holds_alternative<PullImage>(op) || std::holds_alternative<BuildImage>(op) ||
           std::holds_alternative<StopContainer>(op) || std::holds_alternative<RestartContainer>(op) ||
           std::holds_alternative<ExecHook>(op);
  }

  // Lets `effect` end by itself; five seconds after a cancellation it is cancelled too.
  static io::Task<Result<void>> finish(io::Task<Result<void>> effect) {
    const io::Context context = co_await io::here();
    io::Cancel own;
    Grace grace(*context.loop, own);
    io::Scope scope(io::Context{context.loop, context.cancel});
    scope.spawn(watch(grace));
    auto result = co_await std::move(effect).under(own);
    scope.cancel();
    co_await scope.join();
    co_return result;
  }

  struct Grace : io::Timer {
    Grace(io::Loop& its_loop, io::Cancel& its_cancel) : Timer(its_loop), loop(its_loop), cancel(its_cancel) {}
    void fire() override { cancel.request(Code::cancelled); }
    io::Loop& loop;
    io::Cancel& cancel;
  };
  // Ends when the caller is cancelled, and starts the grace period then.
  static io::Task<void> watch(Grace& grace) {
    io::Event never;
    (void)co_await never.wait();
    grace.arm(grace.loop.now() + std::chrono::seconds(5));
  }

  void settle(const Node& node, Standing standing, Phase phase, std::string detail) {
    Step& step = steps_[static_cast<std::size_t>(node.id)];
    step.standing = standing;
    step.settled.set();
    tell(node, phase, std::move(detail));
  }

  void tell(const Node& node, Phase phase, std::string detail) {
    if (options_.progress) options_.progress({.node = &node, .phase = phase, .detail = std::move(detail)});
  }

  const Plan& plan_;
  const ApplyOptions& options_;
  io::Semaphore permits_;
  Outcome outcome_;
  std::vector<Step> steps_;  // by node id; 0 is unused
  EffectContext effects_;
};

}  // namespace

std::string_view to_text(Phase phase) {
  switch (phase) {
    case Phase::started:
      return "started";
    case Phase::progress:
      return "progress";
    case Phase::done:
      return "done";
    case Phase::failed:
      return "failed";
    case Phase::skipped:
      return "skipped";
    case Phase::cancelled:
      return "cancelled";
    case Phase::passed:
      return "passed";
  }
  return "failed";
}

Error Outcome::error() const {
  Error out = failures.front().error;
  const std::size_t others = failures.size() - 1;
  if (others > 0)
    out.message += " (and " + std::to_string(others) + (others == 1 ? " other failure)" : " other failures)");
  return out;
}

io::Task<Result<Outcome>> apply(engine::Client& client, const Plan& plan, ApplyOptions options) {
  Run run(client, plan, options);
  co_return co_await run.all();
}

}  // namespace berth::plan
