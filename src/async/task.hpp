#pragma once
// Names for Asio's coroutines, as the whole project uses them.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>

#include "base/error.hpp"

namespace geogrid {

namespace asio = boost::asio;

/// A coroutine; most return task<result<T>>. Parameters are taken by value or outlive the run. A lambda that
/// is a coroutine is named first, outlives its run, and is never written inside a co_await expression (GCC 12
/// miscompiles it).
template <typename T>
using task = asio::awaitable<T>;

/// Sleeps on the current executor; ends early, with errc::cancelled, when the coroutine is cancelled.
task<result<void>> sleep_for(std::chrono::steady_clock::duration duration);

/// Runs the coroutine to its end on an io_context of its own, and returns what it returned: for main() and
/// for tests.
template <typename T>
T run_to_end(asio::io_context& loop, task<T> work);

}  // namespace geogrid

#include "async/task_impl.hpp"
