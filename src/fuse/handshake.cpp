#include "fuse/handshake.hpp"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "base/unique_fd.hpp"

namespace geogrid {
namespace {

template <typename T>
T read_at(const void* bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, static_cast<const char*>(bytes) + offset, sizeof value);
  return value;
}

bool kernel_offers(const fuse_buf& request) {
  if (request.size < sizeof(fuse_in_header) + sizeof(std::uint32_t) * 4) return false;
  // major, minor, max_readahead, flags
  const auto flags = read_at<std::uint32_t>(request.mem, sizeof(fuse_in_header) + 3 * sizeof(std::uint32_t));
  return (flags & FUSE_HANDLE_KILLPRIV_V2) != 0;
}

/// What libfuse writes to the kernel's descriptor goes to another one while this lives.
class Caught {
 public:
  explicit Caught(int kernel) : kernel_(kernel) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) return;
    mine_.reset(ends[0]);
    const UniqueFd its(ends[1]);
    // The kernel's file stays open, and with it the event loop's interest in it.
    kept_.reset(::fcntl(kernel, F_DUPFD_CLOEXEC, 0));
    if (kept_ && ::dup3(its.get(), kernel, O_CLOEXEC) < 0) kept_.reset();
  }
  ~Caught() { give_back(); }
  Caught(const Caught&) = delete;
  Caught& operator=(const Caught&) = delete;

  explicit operator bool() const { return static_cast<bool>(kept_); }
  int reader() const { return mine_.get(); }
  void give_back() {
    if (kept_) ::dup3(kept_.get(), kernel_, O_CLOEXEC);
    kept_.reset();
  }

 private:
  int kernel_;
  UniqueFd mine_;
  UniqueFd kept_;
};

}  // namespace

bool is_handshake(const fuse_buf& request) {
  if (request.size < sizeof(fuse_in_header)) return false;
  return read_at<fuse_in_header>(request.mem, 0).opcode == FUSE_INIT;
}

bool answer_handshake(fuse_session* session, const fuse_buf& request) {
  const int kernel = fuse_session_fd(session);
  Caught caught(kernel);
  fuse_session_process_buf(session, &request);
  if (!caught) return false;
  std::array<char, 4096> answer{};
  const ssize_t size = ::read(caught.reader(), answer.data(), answer.size());
  caught.give_back();
  if (size < 0) return false;
  const auto length = static_cast<std::size_t>(size);
  const std::size_t flags_at = sizeof(fuse_out_header) + offsetof(fuse_init_out, flags);
  bool added = false;
  if (length >= flags_at + sizeof(std::uint32_t) && read_at<fuse_out_header>(answer.data(), 0).error == 0 &&
      kernel_offers(request)) {
    const std::uint32_t flags = read_at<std::uint32_t>(answer.data(), flags_at) | FUSE_HANDLE_KILLPRIV_V2;
    std::memcpy(answer.data() + flags_at, &flags, sizeof flags);
    added = true;
  }
  return ::write(kernel, answer.data(), length) == size && added;
}

}  // namespace geogrid
