#include "async/service_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <list>
#include <optional>

#include "async/notifier.hpp"

namespace geogrid {

struct ServiceGroup::State {
  explicit State(asio::any_io_executor e) : executor(std::move(e)) {}

  asio::any_io_executor executor;
  Notifier ended;
  std::list<asio::cancellation_signal> running;
  std::optional<Error> first_error;
  bool cancelling = false;

  void cancel() {
    cancelling = true;
    for (auto& signal : running) signal.emit(asio::cancellation_type::terminal);
  }
  void finish(std::optional<Error> error) {
    if (!error || (cancelling && error->is(errc::cancelled))) return;
    if (!first_error) first_error = std::move(error);
    cancel();
  }
};

namespace {

Error error_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) return fail(errc::cancelled, "cancelled");
    return fail(errc::internal, "{}", e.what());
  } catch (const std::exception& e) {
    return fail(errc::internal, "{}", e.what());
  }
}

}  // namespace

ServiceGroup::ServiceGroup(asio::any_io_executor executor)
    : state_(std::make_shared<State>(std::move(executor))) {}

ServiceGroup::~ServiceGroup() = default;

void ServiceGroup::spawn(std::string name, task<result<void>> work) {
  const auto signal = state_->running.emplace(state_->running.end());
  auto ended = [state = state_, signal, name = std::move(name)](const std::exception_ptr& thrown,
                                                                result<void> outcome) {
    std::optional<Error> error;
    if (thrown)
      error = error_of(thrown).within(name);
    else if (!outcome)
      error = outcome.error().within(name);
    // The signal is erased later: it may be the very one that is being emitted now.
    asio::post(state->executor, [state, signal, error = std::move(error)]() mutable {
      state->running.erase(signal);
      state->finish(std::move(error));
      state->ended.notify_all();
    });
  };
  asio::co_spawn(state_->executor, std::move(work),
                 asio::bind_cancellation_slot(signal->slot(), std::move(ended)));
}

void ServiceGroup::cancel() {
  state_->cancel();
}

task<result<void>> ServiceGroup::wait() {
  const auto state = state_;
  while (!state->running.empty()) co_await state->ended.wait();
  if (state->first_error) co_return *state->first_error;
  co_return result<void>();
}

}  // namespace geogrid
