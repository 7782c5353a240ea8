#include "intents/node_debts.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>

namespace geogrid {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBatch = 256;      // intents taken at a time
constexpr std::size_t kRemember = 4096;  // that were struck off
constexpr std::chrono::milliseconds kFirstRetry = 250ms;
constexpr std::chrono::milliseconds kLastRetry = 15s;
constexpr std::chrono::milliseconds kHeldUp = 500ms;  // by another worker, which is at it
constexpr std::chrono::milliseconds kSayAgain = 10min;
constexpr std::chrono::milliseconds kFailFast = 500ms;
// What takes longer than this may be taken by another worker soon.
constexpr std::chrono::milliseconds kSlow = NamespaceStore::kIntentHold / 2;

Clock::SteadyTime time_now() {
  return system_clock().steady();
}

}  // namespace

NodeDebts::NodeDebts(asio::any_io_executor loop, MetadataStore& store, NodeVolume node, LeaseOwner by,
                     std::chrono::milliseconds gather, Log log)
    : work_{store, std::move(node), std::make_shared<StopSignal>(), std::move(log)},
      by_(by),
      gather_(gather),
      loop_(std::move(loop)),
      retry_(kFirstRetry, kLastRetry),
      standing_(kSayAgain) {}

task<result<bool>> NodeDebts::drain() {
  const auto self = shared_from_this();
  GG_CO_CHECK(work_.open());
  if (!outcome_ && failed_until_ && time_now() < *failed_until_) co_return outcome_.error();
  const std::uint64_t mine = ++asked_;
  start_run();
  while (served_ < mine && !work_.stop->stopped()) co_await changed_.wait();
  if (served_ < mine) co_return fail(errc::cancelled, "stopped");
  // Taken apart: a result<bool> that is made of an lvalue may just ask it whether it is a success.
  if (!outcome_) co_return outcome_.error();
  co_return *outcome_;
}

bool NodeDebts::any_of(const std::set<IntentId>& set, const std::vector<Intent>& intents) const {
  return !set.empty() &&
         std::ranges::any_of(intents, [&](const Intent& intent) { return set.contains(intent.id); });
}

task<result<void>> NodeDebts::carry_out_now(std::vector<Intent> intents) {
  const auto self = shared_from_this();
  GG_CO_CHECK(work_.open());
  // A run may have taken them up since they were recorded.
  while (any_of(in_hand_, intents) && !work_.stop->stopped()) co_await changed_.wait();
  GG_CO_CHECK(work_.open());
  std::erase_if(intents, [this](const Intent& intent) { return is_over(intent.id); });
  if (intents.empty()) co_return result<void>();
  for (const Intent& intent : intents) now_.insert(intent.id);
  std::vector<Intent> mine = intents;
  OwedBatch batch = co_await carry_out_batch(work_, std::move(mine));
  for (const Intent& intent : intents) now_.erase(intent.id);
  for (CarriedOut& one : batch.done) carried_.emplace(one.intent.id, std::move(one));
  changed_.notify_all();
  soon();
  if (batch.error) co_return std::move(*batch.error);
  co_return result<void>();
}

void NodeDebts::soon() {
  if (work_.stop->stopped()) return;
  announced_ = true;
  if (running_) return;
  // What waits to be tried again, perhaps for long, does not hold up what is new.
  if (timer_ == nullptr || timer_->expiry() > time_now() + gather_) arm(gather_);
}

void NodeDebts::arm(std::chrono::milliseconds wait) {
  timer_ = std::make_unique<asio::steady_timer>(loop_, wait);
  timer_->async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || self == nullptr || self->work_.stop->stopped()) return;
    self->timer_ = nullptr;
    ++self->asked_;
    self->start_run();
  });
}

void NodeDebts::start_run() {
  if (std::exchange(running_, true)) return;
  if (timer_ != nullptr) timer_->cancel();
  timer_ = nullptr;
  asio::co_spawn(loop_, run(shared_from_this()), [](const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
  });
}

task<void> NodeDebts::run(std::shared_ptr<NodeDebts> self) {
  bool left = false;
  while (self->served_ < self->asked_ && !self->work_.stop->stopped()) {
    const std::uint64_t serving = self->asked_;
    const bool announced = std::exchange(self->announced_, false);
    result<bool> outcome = co_await self->round();
    self->in_hand_.clear();
    self->outcome_ = std::move(outcome);
    self->served_ = serving;
    left = left || announced;
    if (self->outcome_ && *self->outcome_) left = false;
    self->changed_.notify_all();
  }
  self->running_ = false;
  self->changed_.notify_all();
  if (!self->work_.stop->stopped()) self->ended(left);
}

// What was announced and could not be done is tried again, ever more slowly.
void NodeDebts::ended(bool left) {
  const auto now = time_now();
  if (!outcome_ && outcome_.error().is(errc::cancelled)) return;  // the store was closed
  const bool good = outcome_.has_value();
  const auto line = good ? standing_.succeeded(now) : standing_.failed(outcome_.error(), now);
  if (line && good) work_.log.info("node {}: {}", work_.name(), *line);
  if (line && !good) work_.log.warning("{}; tried again until it is done", *line);
  failed_until_ = good ? std::nullopt : std::optional<Time>(now + kFailFast);
  if (good && *outcome_) retry_.reset();
  if (left) {
    announced_ = true;
    arm(good ? kHeldUp : retry_.next(system_random().next()));
  } else if (announced_) {
    arm(gather_);
  }
}

task<result<bool>> NodeDebts::round() {
  if (carried_.empty()) {
    GG_CO_TRY(const std::vector<Intent> owed, co_await work_.store.owed_by(work_.node.index, IntentId{}, 1));
    if (owed.empty()) co_return true;
  }
  for (;;) {
    GG_CO_CHECK(work_.open());
    GG_CO_TRY(Step step, co_await this->step());
    if (step.more && step.progress) continue;
    if (step.held_up) co_return std::move(*step.held_up);
    break;
  }
  GG_CO_CHECK(work_.open());
  GG_CO_TRY(const std::vector<Intent> left, co_await work_.store.owed_by(work_.node.index, IntentId{}, 1));
  co_return left.empty();
}

task<result<std::vector<Intent>>> NodeDebts::take() {
  GG_CO_TRY(std::vector<Intent> taken,
            co_await work_.store.take_owed(work_.node.index, by_, kBatch, NamespaceStore::kIntentHold));
  for (const Intent& intent : taken) in_hand_.insert(intent.id);
  while (any_of(now_, taken) && !work_.stop->stopped()) co_await changed_.wait();
  GG_CO_CHECK(work_.open());
  co_return taken;
}

task<result<NodeDebts::Step>> NodeDebts::step() {
  const auto began = time_now();
  GG_CO_TRY(std::vector<Intent> taken, co_await take());
  Step answer;
  answer.more = taken.size() == kBatch;
  std::vector<CarriedOut> done;
  for (const auto& [id, one] : carried_) done.push_back(one);
  std::erase_if(taken, [this](const Intent& intent) { return carried_.contains(intent.id); });
  OwedBatch batch;
  if (!taken.empty()) {
    GG_CO_CHECK(co_await work_.store.sync());
    batch = co_await carry_out_batch(work_, std::move(taken));
  }
  std::ranges::move(batch.done, std::back_inserter(done));
  answer.progress = !done.empty();
  GG_CO_CHECK(work_.open());
  if (!done.empty()) GG_CO_CHECK(co_await strike_off(work_, done, time_now() - began > kSlow));
  struck_off(done);
  if (batch.node_failed) co_return std::move(*batch.error);
  answer.held_up = std::move(batch.error);
  co_return answer;
}

void NodeDebts::struck_off(const std::vector<CarriedOut>& done) {
  for (const CarriedOut& one : done) {
    carried_.erase(one.intent.id);
    struck_off_.insert(one.intent.id);
  }
  while (struck_off_.size() > kRemember) struck_off_.erase(struck_off_.begin());
  in_hand_.clear();
  changed_.notify_all();
}

task<void> NodeDebts::finish(std::chrono::milliseconds most) {
  const auto self = shared_from_this();
  if (work_.stop->stopped() || (!announced_ && !running_ && carried_.empty())) co_return;
  const std::uint64_t mine = ++asked_;
  start_run();
  const auto end = time_now() + most;
  while (served_ < mine && !work_.stop->stopped()) {
    const auto left = end - time_now();
    if (left <= left.zero()) {
      work_.log.warning("node {} does not answer: its storage loop finishes what it owes", work_.name());
      co_return;
    }
    co_await changed_.wait_for(left);
  }
}

void NodeDebts::close() {
  work_.stop->stop();
  if (timer_ != nullptr) timer_->cancel();
  timer_ = nullptr;
  changed_.notify_all();
}

}  // namespace geogrid
