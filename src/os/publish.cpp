#include "os/publish.hpp"

#include <fcntl.h>

#include <cerrno>

#include "os/clock.hpp"

namespace geogrid {
namespace {

result<void> write_and_name(Env& env, int file, int temp_folder, const std::string& temp_name, int folder,
                            const std::string& name, std::span<const std::byte> bytes, mode_t mode,
                            IfTaken if_taken) {
  GG_CHECK(env.write(file, 0, bytes));
  GG_CHECK(env.set_mode(file, mode));  // whatever the umask is
  // The bytes before the name: the other way round a power loss can leave the name with nothing behind it.
  GG_CHECK(env.sync(file));
  return env.rename(temp_folder, temp_name, folder, name, if_taken);
}

}  // namespace

result<void> publish_bytes(Env& env, int temp_folder, int folder, const std::string& name,
                           std::span<const std::byte> bytes, mode_t mode, IfTaken if_taken) {
  const std::string temp_name = "publish-" + system_random().uuid();
  GG_TRY(const UniqueFd file, env.open(temp_folder, temp_name, O_WRONLY | O_CREAT | O_EXCL, 0600));
  auto named = write_and_name(env, file.get(), temp_folder, temp_name, folder, name, bytes, mode, if_taken);
  if (!named) {
    (void)env.remove_file(temp_folder, temp_name);  // the first error is the one to tell
    return named;
  }
  return env.sync(folder);
}

result<std::string> read_small_file(Env& env, int folder, std::string_view path, std::size_t limit) {
  // By O_PATH first: opening a fifo or a device for reading has effects of its own.
  GG_TRY(const UniqueFd found, env.open(folder, path, O_PATH));
  GG_TRY(const struct stat before, env.status(found.get()));
  if (S_ISLNK(before.st_mode)) return system_error(ELOOP, "open");
  if (!S_ISREG(before.st_mode)) return fail(errc::not_supported, "not an ordinary file");
  GG_TRY(const UniqueFd file, env.open(folder, path, O_RDONLY | O_NONBLOCK));
  std::string text(limit + 1, '\0');
  GG_TRY(const std::size_t length, env.read(file.get(), 0, std::as_writable_bytes(std::span(text))));
  if (length > limit) return system_error(EFBIG, "read");
  text.resize(length);
  return text;
}

}  // namespace geogrid
