#pragma once
// Numbers for transactions that must not be run twice: a row in operation_log, written with the transaction,
// shows after a COMMIT whose answer was lost whether it took place.

#include <cstdint>
#include <set>
#include <string_view>

#include "meta/mariadb_connection.hpp"

namespace geogrid {

/// One loop's. `origin` tells this process's numbers from others'.
class MariadbOperations {
 public:
  explicit MariadbOperations(std::int64_t origin) : origin_(origin) {}

  /// A number that is in use while the object lives.
  class Number {
   public:
    explicit Number(MariadbOperations& operations) : operations_(operations), value_(operations.next_++) {
      operations_.in_use_.insert(value_);
    }
    ~Number() { operations_.in_use_.erase(value_); }
    Number(const Number&) = delete;
    Number& operator=(const Number&) = delete;
    std::int64_t value() const { return value_; }

   private:
    MariadbOperations& operations_;
    std::int64_t value_;
  };

  /// Notes the number, first in its transaction: while an earlier try of the same number is still being
  /// committed, this waits for it. Errors: errc::already_exists if an earlier try was committed.
  task<result<void>> note(MariadbConnection& connection, std::int64_t number);
  /// Now and then removes rows that nobody will ask for. Outside any transaction.
  task<result<void>> prune(MariadbConnection& connection);

 private:
  const std::int64_t origin_;
  std::int64_t next_ = 1;
  std::set<std::int64_t> in_use_;
  std::uint64_t noted_ = 0;
};

}  // namespace geogrid
