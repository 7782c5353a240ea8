#pragma once
// The template bodies of task.hpp.

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

#include "async/task.hpp"

namespace geogrid {

template <typename T>
T run_to_end(asio::io_context& loop, task<T> work) {
  std::optional<T> value;
  std::exception_ptr failure;
  asio::co_spawn(loop, std::move(work), [&](std::exception_ptr error, T returned) {
    failure = error;
    if (!error) value.emplace(std::move(returned));
    loop.stop();
  });
  loop.restart();
  loop.run();
  if (failure) std::rethrow_exception(failure);
  if (!value) throw std::logic_error("the event loop ended before the coroutine did");
  return std::move(*value);
}

}  // namespace geogrid
