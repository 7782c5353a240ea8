#pragma once
// The template bodies of sql_store.hpp.

#include "meta/sql_store.hpp"

namespace geogrid {

// A transaction may run on another thread, and go on when its caller is dropped: it owns all that it touches.
template <typename In, typename Out>
struct StoreCall {
  std::shared_ptr<const StoreContext> context;
  Origin origin;
  task<result<void>> (*rules)(Tx&, const In&, Out&);
  In in;
  Out out{};
};

template <typename In, typename Out>
task<result<void>> run_call(std::shared_ptr<StoreCall<In, Out>> call, SqlConnection& connection) {
  call->out = Out{};
  Tx tx(connection, *call->context, call->origin);
  co_return co_await call->rules(tx, call->in, call->out);
}

template <typename In, typename Out>
task<result<Out>> SqlStore::write_as(Origin origin, TransactOptions options, Rules<In, Out> rules, In in) {
  auto call =
      std::make_shared<StoreCall<In, Out>>(StoreCall<In, Out>{context_, origin, rules, std::move(in), Out{}});
  SqlBody body = [call](SqlConnection& connection) { return run_call<In, Out>(call, connection); };
  GG_CO_CHECK(co_await driver_->transact(options, std::move(body)));
  co_return std::move(call->out);
}

template <typename In, typename Out>
task<result<Out>> SqlStore::write(TransactOptions options, Rules<In, Out> rules, In in) {
  return write_as(context_->origin, options, rules, std::move(in));
}

template <typename In, typename Out>
task<result<Out>> SqlStore::record(TransactOptions options, Rules<In, Out> rules, In in) {
  return write_as(context_->workers, options, rules, std::move(in));
}

template <typename In, typename Out>
task<result<Out>> SqlStore::read(Rules<In, Out> rules, In in) {
  auto call = std::make_shared<StoreCall<In, Out>>(
      StoreCall<In, Out>{context_, Origin(), rules, std::move(in), Out{}});
  SqlBody body = [call](SqlConnection& connection) { return run_call<In, Out>(call, connection); };
  GG_CO_CHECK(co_await driver_->read(std::move(body)));
  co_return std::move(call->out);
}

}  // namespace geogrid
