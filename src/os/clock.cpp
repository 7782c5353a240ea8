#include "os/clock.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <ctime>
#include <stdexcept>

namespace geogrid {
namespace {

class SystemClock final : public Clock {
 public:
  Timestamp wall() const override {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return Timestamp::from(now);
  }
  SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

class SystemRandom final : public Random {
 public:
  std::uint64_t next() override {
    std::uint64_t value = 0;
    if (getrandom(&value, sizeof value, 0) != sizeof value) throw std::runtime_error("getrandom(2) failed");
    return value;
  }
};

}  // namespace

std::string Random::uuid() {
  const std::uint64_t high = (next() & ~std::uint64_t{0xF000}) | 0x4000;
  const std::uint64_t low = (next() & ~(std::uint64_t{3} << 62U)) | (std::uint64_t{1} << 63U);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32U, (high >> 16U) & 0xFFFF,
                     high & 0xFFFF, low >> 48U, low & 0xFFFFFFFFFFFF);
}

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

Random& system_random() {
  static SystemRandom random;
  return random;
}

}  // namespace geogrid
