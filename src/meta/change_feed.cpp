#include "meta/change_feed.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <vector>

#include "async/standing_error.hpp"
#include "meta/change_window.hpp"
#include "os/clock.hpp"

namespace geogrid {
namespace {

// Ids below the newest whose transactions may still be under way when the feed starts.
constexpr std::uint64_t kLookBack = 10000;
// More remembered ids than this (48 bytes each) are not worth it: listeners start afresh.
constexpr std::size_t kMostRemembered = 500000;
constexpr std::chrono::minutes kSummaryEvery{1};
// While the store is away, it is asked this much less often.
constexpr int kOutagePause = 5;

class Feed final : public ChangeFeed {
 public:
  Feed(ChangeLog& log, Log logger, Options options)
      : log_(log), logger_(std::move(logger)), options_(options), window_(options.window) {}

  void subscribe(ChangeListener& listener) override { listeners_.push_back(&listener); }
  void unsubscribe(ChangeListener& listener) override { std::erase(listeners_, &listener); }
  task<result<void>> run() override;

 private:
  task<result<void>> start_at_newest();
  task<result<void>> poll();
  task<result<void>> read_from(ChangeId from, bool deliver, ChangeId last);
  task<result<bool>> lost_changes();
  void deliver(std::span<const Change> changes);
  void tell_of_gap();
  template <typename Tell>
  void tell_each(Tell tell);

  ChangeLog& log_;
  Log logger_;
  const Options options_;
  ChangeWindow window_;
  std::vector<ChangeListener*> listeners_;
  StandingError standing_{kSummaryEvery};
  std::optional<std::uint64_t> hint_;  // none: read whatever it is
  bool started_ = false;
  bool suspicious_ = false;        // the log may have been pruned or replaced since it was last read
  std::size_t polls_to_wait_ = 0;  // before known rows are read again
  std::size_t reread_ = 0;         // known rows that the last reading met
};

template <typename Tell>
void Feed::tell_each(Tell tell) {
  const std::vector<ChangeListener*> now = listeners_;  // a listener may unsubscribe itself or another
  for (ChangeListener* listener : now)
    if (std::find(listeners_.begin(), listeners_.end(), listener) != listeners_.end()) tell(*listener);
}

void Feed::deliver(std::span<const Change> changes) {
  if (!changes.empty()) tell_each([&](ChangeListener& listener) { listener.on_changes(changes); });
}

void Feed::tell_of_gap() {
  logger_.info("changes of metadata were missed; caches start afresh");
  tell_each([](ChangeListener& listener) { listener.on_gap(); });
}

// Reads rows above `from` (and up to `last`) page by page, and delivers those that are new.
task<result<void>> Feed::read_from(ChangeId from, bool deliver_them, ChangeId last) {
  const auto executor = co_await asio::this_coro::executor;
  for (;;) {
    GG_CO_TRY(std::vector<Change> rows, co_await log_.changes_after(from, options_.page));
    const bool more = rows.size() >= options_.page;
    std::erase_if(rows, [&](const Change& row) { return row.id > last; });
    if (rows.empty()) co_return result<void>();
    from = rows.back().id;
    const std::size_t read = rows.size();
    std::erase_if(rows, [&](const Change& row) { return !window_.add(row.id); });
    reread_ += read - rows.size();
    if (deliver_them) deliver(rows);
    if (!more) co_return result<void>();
    // SQLite answers without giving the loop away; others want to run between two pages.
    co_await asio::post(executor, asio::use_awaitable);
  }
}

// Rows that exist already are known, so that those below the newest which are still being committed are seen
// to be new.
task<result<void>> Feed::start_at_newest() {
  GG_CO_TRY(const ChangeId pruned, co_await log_.pruned_up_to());
  GG_CO_TRY(const ChangeId latest, co_await log_.latest_change());
  const ChangeId newest = std::max(latest, pruned);
  const std::uint64_t back = newest.value > kLookBack ? newest.value - kLookBack : 0;
  const auto begun = system_clock().steady();
  window_.start(std::max(ChangeId(back), pruned));
  GG_CO_CHECK(co_await read_from(window_.floor(), false, newest));
  window_.add(newest);  // its row may be pruned
  window_.read_all(begun, system_clock().steady());
  hint_.reset();
  suspicious_ = false;
  polls_to_wait_ = 0;
  co_return result<void>();
}

// After an outage: was the log pruned beyond what was read, or is it another log (a restored database)?
task<result<bool>> Feed::lost_changes() {
  GG_CO_TRY(const ChangeId pruned, co_await log_.pruned_up_to());
  GG_CO_TRY(const ChangeId latest, co_await log_.latest_change());
  co_return pruned > window_.floor() || std::max(latest, pruned) < window_.newest();
}

task<result<void>> Feed::poll() {
  if (!started_) {
    GG_CO_CHECK(co_await start_at_newest());
    started_ = true;
  }
  const auto begun = system_clock().steady();
  GG_CO_TRY(const std::uint64_t hint, co_await log_.change_hint());
  if (hint_ && hint < *hint_) suspicious_ = true;
  bool lost = window_.remembered() > kMostRemembered;
  if (suspicious_ && !lost) {
    GG_CO_TRY(lost, co_await lost_changes());
  }
  if (lost) {
    GG_CO_CHECK(co_await start_at_newest());
    tell_of_gap();
    co_return result<void>();
  }
  suspicious_ = false;
  const bool moved = hint_ != hint;
  // Reading known rows again may cost a page for each poll in the long run; rows that are new do not wait for
  // it.
  const bool whole = window_.settled() || polls_to_wait_ == 0;
  if (polls_to_wait_ > 0) --polls_to_wait_;
  if (!moved && (window_.settled() || !whole)) co_return result<void>();
  constexpr ChangeId kNoEnd(~std::uint64_t{0});
  reread_ = 0;
  GG_CO_CHECK(co_await read_from(whole ? window_.floor() : window_.newest(), true, kNoEnd));
  if (whole) {
    window_.read_all(begun, system_clock().steady());
    polls_to_wait_ = reread_ / options_.page;
  } else {
    window_.read_newest(system_clock().steady());
  }
  hint_ = hint;
  co_return result<void>();
}

task<result<void>> Feed::run() {
  for (;;) {
    const result<void> polled = co_await poll();
    if (!polled && polled.error().is(errc::cancelled)) co_return polled.error();
    const auto now = system_clock().steady();
    const auto said = polled ? standing_.succeeded(now) : standing_.failed(polled.error(), now);
    if (said) logger_.warning("reading the change log: {}", *said);
    if (!polled) suspicious_ = true;
    GG_CO_CHECK(co_await sleep_for(polled ? options_.interval : options_.interval * kOutagePause));
  }
}

}  // namespace

std::unique_ptr<ChangeFeed> make_change_feed(ChangeLog& log, Log logger, ChangeFeed::Options options) {
  return std::make_unique<Feed>(log, std::move(logger), options);
}

}  // namespace geogrid
