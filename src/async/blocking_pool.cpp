#include "async/blocking_pool.hpp"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace geogrid {
namespace {

// Never destroyed: destructors would reach for what is gone.
void leave_behind(std::function<void()> answer) {
  static std::mutex mutex;
  static auto* const answers = new std::vector<std::function<void()>>();
  const std::scoped_lock lock(mutex);
  answers->push_back(std::move(answer));
}

}  // namespace

// Shared with the threads, so that one which is left behind in the kernel still has something to come back
// to.
struct BlockingPool::State {
  explicit State(Options o) : options(std::move(o)) {}

  const Options options;
  mutable std::mutex mutex;
  std::condition_variable work_available;
  std::condition_variable thread_ended;
  std::deque<std::function<void()>> queue;  // guarded by mutex, as is all below
  unsigned threads = 0;
  unsigned idle = 0;
  bool stopping = false;

  std::mutex answering;    // never held together with mutex
  bool abandoned = false;  // guarded by answering

  void run() {
    own = this;
    std::unique_lock lock(mutex);
    for (;;) {
      ++idle;
      work_available.wait(lock, [this] { return stopping || !queue.empty(); });
      --idle;
      if (stopping) break;
      std::function<void()> job = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      job();
      job = nullptr;  // what it captured dies without the lock
      lock.lock();
    }
    --threads;
    thread_ended.notify_all();
  }

  // The pool that the current thread belongs to, if any.
  static thread_local State* own;
};

thread_local BlockingPool::State* BlockingPool::State::own = nullptr;

BlockingPool::BlockingPool(Options options) : state_(std::make_shared<State>(std::move(options))) {}

BlockingPool::~BlockingPool() {
  std::deque<std::function<void()>> dropped;
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  dropped.swap(state_->queue);
  state_->work_available.notify_all();
  const unsigned this_one = State::own == state_.get() ? 1 : 0;
  const bool all_ended = state_->thread_ended.wait_for(lock, state_->options.join_timeout,
                                                       [&] { return state_->threads == this_one; });
  lock.unlock();
  if (all_ended) return;
  const std::scoped_lock answers(state_->answering);
  state_->abandoned = true;
}

bool BlockingPool::post(std::function<void()> job) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->stopping || state_->queue.size() >= state_->options.queue_limit) return false;
  state_->queue.push_back(std::move(job));
  if (state_->idle < state_->queue.size() && state_->threads < state_->options.threads) {
    std::thread thread([state = state_] { state->run(); });
    pthread_setname_np(thread.native_handle(), state_->options.name.substr(0, 15).c_str());
    thread.detach();
    ++state_->threads;
  }
  state_->work_available.notify_one();
  return true;
}

bool BlockingPool::answer(std::function<void()> deliver) {
  const std::scoped_lock lock(State::own->answering);
  if (!State::own->abandoned) {
    deliver();
    return true;
  }
  leave_behind(std::move(deliver));
  return false;
}

std::size_t BlockingPool::pending() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->queue.size() + (state_->threads - state_->idle);
}

}  // namespace geogrid
