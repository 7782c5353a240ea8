// write(2) in its forms: within one mount everything is as on a local disk.

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <random>
#include <thread>

#include "place.hpp"

namespace geogrid::test {
namespace {

class Writing : public Posix {};
GEOGRID_EVERYWHERE(Writing);

TEST_P(Writing, IsSeenThroughOtherDescriptorsAtOnce) {
  const UniqueFd writer = open_file(path("f"), O_RDWR | O_CREAT);
  const UniqueFd reader = open_file(path("f"), O_RDONLY);
  const UniqueFd second = open_file(path("f"), O_WRONLY);
  std::string expected;
  for (int n = 0; n < 20; ++n) {
    const std::string line = "line " + std::to_string(n) + "\n";
    say(writer, line);
    expected += line;
    ASSERT_EQ(get(reader), expected);
    ASSERT_EQ(stat_of(reader).st_size, static_cast<off_t>(expected.size()));
  }
  ASSERT_EQ(::pwrite(second.get(), "LINE", 4, 0), 4);
  expected.replace(0, 4, "LINE");
  EXPECT_EQ(get(reader), expected);
  EXPECT_EQ(get(writer), expected);
  EXPECT_EQ(get(path("f")), expected);
}

TEST_P(Writing, ChangesAPartAndKeepsTheRest) {
  std::string content = content_for("f", 300000);
  put(path("f"), content);
  const ino_t number = stat_of(path("f")).st_ino;
  {
    const UniqueFd file = open_file(path("f"), O_WRONLY);
    ASSERT_EQ(::pwrite(file.get(), "changed", 7, 150000), 7);
    ASSERT_EQ(::pwrite(file.get(), "end", 3, 300000), 3);
  }
  content.replace(150000, 7, "changed");
  content += "end";
  EXPECT_TRUE(get(path("f")) == content);
  EXPECT_EQ(stat_of(path("f")).st_size, 300003);
  EXPECT_EQ(stat_of(path("f")).st_ino, number);
}

TEST_P(Writing, LeavesZeroesBetween) {
  const UniqueFd file = open_file(path("f"), O_RDWR | O_CREAT);
  ASSERT_EQ(::pwrite(file.get(), "end", 3, 100000), 3);
  EXPECT_TRUE(get(file) == std::string(100000, '\0') + "end");
  say(file, "start");
  EXPECT_TRUE(get(path("f")) == "start" + std::string(99995, '\0') + "end");
}

TEST_P(Writing, AppendsFromTwoDescriptors) {
  const UniqueFd one = open_file(path("f"), O_WRONLY | O_CREAT | O_APPEND);
  const UniqueFd two = open_file(path("f"), O_WRONLY | O_APPEND);
  say(one, "a");
  say(two, "b");
  say(one, "c");
  ASSERT_EQ(::lseek(two.get(), 0, SEEK_SET), 0);
  say(two, "d");
  EXPECT_EQ(get(path("f")), "abcd");
}

TEST_P(Writing, AppendsFromManyProcessesAndLosesNoLine) {
  constexpr int kWriters = 4, kLines = 100;
  std::vector<pid_t> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int n = 0; n < kLines; ++n) {
        char line[20];
        std::snprintf(line, sizeof line, "%03d %03d\n", writer, n);
        // Opens each time, as `echo >>` does.
        const UniqueFd file(::open(path("log").c_str(), O_WRONLY | O_APPEND | O_CREAT, 0644));
        if (::write(file.get(), line, 8) != 8) ::_exit(1);
      }
      ::_exit(0);
    }
    writers.push_back(child);
  }
  for (const pid_t writer : writers) {
    int status = 0;
    ::waitpid(writer, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const std::string log = get(path("log"));
  ASSERT_EQ(log.size(), std::size_t{8} * kWriters * kLines);
  std::vector<int> next(kWriters, 0);
  for (std::size_t at = 0; at < log.size(); at += 8) {
    const int writer = std::stoi(log.substr(at, 3)), line = std::stoi(log.substr(at + 4, 3));
    ASSERT_EQ(line, next.at(static_cast<std::size_t>(writer))++);
  }
}

TEST_P(Writing, AppendsToWhatWasClosed) {
  put(path("f"), "one");
  for (const char* more : {" two", " three"}) {
    const UniqueFd file = open_file(path("f"), O_WRONLY | O_APPEND);
    say(file, more);
  }
  EXPECT_EQ(get(path("f")), "one two three");
}

TEST_P(Writing, TakesCallsOfAnySize) {
  const std::string content = content_for("big", 5000003);
  {
    const UniqueFd file = open_file(path("pieces"), O_WRONLY | O_CREAT);
    std::size_t piece = 1;
    for (std::size_t at = 0; at < content.size(); piece = piece * 3 % 400009 + 1) {
      const std::size_t size = std::min(piece, content.size() - at);
      ASSERT_EQ(::write(file.get(), content.data() + at, size), static_cast<ssize_t>(size));
      at += size;
    }
  }
  EXPECT_TRUE(get(path("pieces")) == content);
  const UniqueFd file = open_file(path("once"), O_RDWR | O_CREAT);
  ASSERT_EQ(::write(file.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
  EXPECT_TRUE(get(file) == content);
  const struct iovec parts[3] = {{const_cast<char*>("one"), 3}, {nullptr, 0}, {const_cast<char*>("two"), 3}};
  ASSERT_EQ(::pwritev(file.get(), parts, 3, 1000), 6);
  EXPECT_EQ(get(file).substr(999, 8), content.substr(999, 1) + "onetwo" + content.substr(1006, 1));
}

TEST_P(Writing, IsWhatAModelSays) {
  std::mt19937 random(20130805);
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  std::string model;
  UniqueFd file = open_file(path("f"), O_RDWR | O_CREAT);
  for (int step = 0; step < 400; ++step) {
    const std::size_t at = below(200000), size = below(30000);
    switch (below(8)) {
      case 0:
        ASSERT_EQ(::ftruncate(file.get(), static_cast<off_t>(at)), 0);
        model.resize(at);
        break;
      case 1:
        ASSERT_EQ(::close(file.release()), 0);
        file = open_file(path("f"), O_RDWR);
        break;
      case 2:
      case 3: {
        std::string piece(size, '?');
        const ssize_t got = ::pread(file.get(), piece.data(), size, static_cast<off_t>(at));
        const std::string expected = at < model.size() ? model.substr(at, size) : "";
        ASSERT_EQ(got, static_cast<ssize_t>(expected.size())) << "step " << step;
        ASSERT_TRUE(piece.substr(0, expected.size()) == expected) << "step " << step;
        break;
      }
      default: {
        const std::string piece = content_for(std::to_string(step), size);
        ASSERT_EQ(::pwrite(file.get(), piece.data(), size, static_cast<off_t>(at)),
                  static_cast<ssize_t>(size));
        if (size > 0 && model.size() < at + size) model.resize(at + size);
        model.replace(at, size, piece);
      }
    }
  }
  file.reset();
  EXPECT_TRUE(get(path("f")) == model);
}

TEST_P(Writing, FromManyThreadsAtOnce) {
  constexpr std::size_t kThreads = 4, kPiece = 10000, kRounds = 40;
  const UniqueFd file = open_file(path("f"), O_RDWR | O_CREAT);
  const std::string content = content_for("threads", kThreads * kPiece * kRounds);
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::vector<std::string> wrong;
  const auto check = [&](std::size_t at) -> std::string {
    if (::pwrite(file.get(), content.data() + at, kPiece, static_cast<off_t>(at)) !=
        static_cast<ssize_t>(kPiece))
      return "not written, errno " + std::to_string(errno);
    std::string back(kPiece, '?');
    const ssize_t got = ::pread(file.get(), back.data(), kPiece, static_cast<off_t>(at));
    if (got != static_cast<ssize_t>(kPiece))
      return "read " + std::to_string(got) + " bytes, errno " + std::to_string(errno);
    const auto differs =
        std::mismatch(back.begin(), back.end(), content.begin() + static_cast<std::ptrdiff_t>(at));
    if (differs.first == back.end()) return "";
    const auto from = differs.first - back.begin();
    return "other bytes from " + std::to_string(from) +
           ", zeroes: " + std::to_string(std::count(back.begin(), back.end(), 0));
  };
  for (std::size_t thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      for (std::size_t round = 0; round < kRounds; ++round) {
        const std::size_t at = (round * kThreads + thread) * kPiece;
        const std::string what = check(at);
        const std::scoped_lock lock(mutex);
        if (!what.empty()) wrong.push_back("at " + std::to_string(at) + ": " + what);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<std::string>());
  EXPECT_TRUE(get(path("f")) == content);
}

TEST_P(Writing, GoesOnAfterAnotherDescriptorIsClosed) {
  const UniqueFd first = open_file(path("f"), O_WRONLY | O_CREAT);
  UniqueFd second = open_file(path("f"), O_WRONLY);
  say(first, "one");
  ASSERT_EQ(::pwrite(second.get(), " two", 4, 3), 4);
  ASSERT_EQ(::close(second.release()), 0);
  EXPECT_EQ(get(path("f")), "one two");
  ASSERT_EQ(::pwrite(first.get(), " three", 6, 7), 6);
  EXPECT_EQ(get(path("f")), "one two three");
}

TEST_P(Writing, GoesOnAfterADuplicateIsClosed) {
  const UniqueFd file = open_file(path("dup"), O_WRONLY | O_CREAT);
  for (int n = 0; n < 5; ++n) {
    say(file, std::to_string(n));
    ASSERT_EQ(::close(::dup(file.get())), 0);
  }
  EXPECT_EQ(get(path("dup")), "01234");
  const std::string command = "{ echo a; sleep .1; /bin/echo b; sleep .1; echo c; } > " + path("shell") +
                              " && cat " + path("shell") + " > /dev/null && echo d >> " + path("shell");
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(get(path("shell")), "a\nb\nc\nd\n");
  const std::string reads_itself = "exec 3<>" + path("both") + "; echo written >&3; (echo child >&3); cat " +
                                   path("both") + " > " + path("copy") + "; echo more >&3; exec 3>&-";
  ASSERT_EQ(std::system(reads_itself.c_str()), 0);
  EXPECT_EQ(get(path("copy")), "written\nchild\n");
  EXPECT_EQ(get(path("both")), "written\nchild\nmore\n");
}

TEST_P(Writing, RefusesTheWrongDescriptor) {
  put(path("f"), "content");
  char byte = 'x';
  EXPECT_EQ(errno_of(::write(open_file(path("f"), O_RDONLY).get(), &byte, 1)), EBADF);
  EXPECT_EQ(errno_of(::read(open_file(path("f"), O_WRONLY).get(), &byte, 1)), EBADF);
  EXPECT_EQ(errno_of(::pwrite(open_file(path("f"), O_WRONLY).get(), &byte, 1, -1)), EINVAL);
  EXPECT_EQ(errno_of(::write(open_file(folder(), O_RDONLY).get(), &byte, 1)), EBADF);
  EXPECT_EQ(errno_of(::read(open_file(folder(), O_RDONLY).get(), &byte, 1)), EISDIR);
  EXPECT_EQ(get(path("f")), "content");
}

TEST_P(Writing, StopsAtTheLimitOfTheProcess) {
  EXPECT_EQ(in_child([&] {
              ::signal(SIGXFSZ, SIG_IGN);
              const struct rlimit limit = {1000, 1000};
              ::setrlimit(RLIMIT_FSIZE, &limit);
              const UniqueFd file = open_file(path("f"), O_WRONLY | O_CREAT);
              const std::string content(1500, 'x');
              if (::write(file.get(), content.data(), content.size()) != 1000) return 1;
              return errno_of(::write(file.get(), "x", 1));
            }),
            EFBIG);
  EXPECT_EQ(stat_of(path("f")).st_size, 1000);
}

TEST_P(Writing, MovesTheTimes) {
  put(path("f"), "content");
  const struct timespec past[2] = {{1000000000, 5}, {1000000000, 5}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path("f").c_str(), past, 0), 0);
  const auto now = static_cast<double>(::time(nullptr));
  {
    const UniqueFd file = open_file(path("f"), O_WRONLY);
    EXPECT_EQ(stat_of(file).st_mtim.tv_sec, 1000000000) << "opening is no change";
    say(file, "x");
    EXPECT_NEAR(seconds_of(stat_of(file).st_mtim), now, 5);
  }
  EXPECT_NEAR(seconds_of(stat_of(path("f")).st_mtim), now, 5);
  EXPECT_NEAR(seconds_of(stat_of(path("f")).st_ctim), now, 5);
  ASSERT_EQ(::utimensat(AT_FDCWD, path("f").c_str(), past, 0), 0);
  EXPECT_EQ(open_errno(path("f"), O_RDWR), 0);
  EXPECT_EQ(stat_of(path("f")).st_mtim.tv_sec, 1000000000) << "closing without a write is none";
  EXPECT_EQ(stat_of(path("f")).st_mtim.tv_nsec, 5);
}

TEST_P(Writing, ReplacesContentForOpenReadersToo) {
  put(path("f"), "the old content");
  const UniqueFd reader = open_file(path("f"), O_RDONLY);
  EXPECT_EQ(get(reader), "the old content");
  for (int n = 0; n < 20; ++n) {
    const std::string content = content_for(std::to_string(n), static_cast<std::size_t>(1 + n * 977 % 5000));
    put(path("f"), content);
    ASSERT_TRUE(get(path("f")) == content) << n;
    ASSERT_TRUE(get(reader) == content) << n << ": the same file, not another of that name";
  }
}

TEST_P(Writing, CopiesRanges) {
  const std::string content = content_for("source", 500000);
  put(path("source"), content);
  const UniqueFd source = open_file(path("source"), O_RDONLY);
  const UniqueFd target = open_file(path("target"), O_RDWR | O_CREAT);
  off_t from = 1000, to = 10;
  std::size_t left = 400000;
  while (left > 0) {
    const ssize_t copied = ::copy_file_range(source.get(), &from, target.get(), &to, left, 0);
    ASSERT_GT(copied, 0) << errno_of(copied);
    left -= static_cast<std::size_t>(copied);
  }
  EXPECT_TRUE(get(target) == std::string(10, '\0') + content.substr(1000, 400000));
  from = 490000;
  EXPECT_EQ(::copy_file_range(source.get(), &from, target.get(), &to, 1 << 20, 0), 10000)
      << "to the end only";
  from = 500000;
  EXPECT_EQ(::copy_file_range(source.get(), &from, target.get(), &to, 10, 0), 0);
  from = 0, to = 100;
  const UniqueFd both = open_file(path("source"), O_RDWR);
  EXPECT_EQ(errno_of(::copy_file_range(both.get(), &from, both.get(), &to, 1000, 0)), EINVAL)
      << "they overlap";
  EXPECT_EQ(errno_of(::copy_file_range(source.get(), &from, source.get(), &to, 10, 0)), EBADF);
  from = 0, to = 300000;
  EXPECT_EQ(::copy_file_range(both.get(), &from, both.get(), &to, 1000, 0), 1000) << "within one file";
  std::string expected = content;
  expected.replace(300000, 1000, content.substr(0, 1000));
  EXPECT_TRUE(get(path("source")) == expected);
  const UniqueFd sent = open_file(path("sent"), O_WRONLY | O_CREAT);
  from = 5;
  EXPECT_EQ(::sendfile(sent.get(), source.get(), &from, 100000), 100000);
  EXPECT_TRUE(get(path("sent")) == expected.substr(5, 100000));
}

TEST_P(Writing, SyncsFilesAndFolders) {
  for (const int flag : {O_SYNC, O_DSYNC, 0}) {
    const UniqueFd file = open_file(path("f"), O_WRONLY | O_CREAT | O_TRUNC | flag);
    say(file, "content");
    EXPECT_EQ(errno_of(::fsync(file.get())), 0);
    EXPECT_EQ(errno_of(::fdatasync(file.get())), 0);
    say(file, " and more");
    EXPECT_EQ(errno_of(::fsync(file.get())), 0);
    EXPECT_EQ(get(path("f")), "content and more");
  }
  const UniqueFd open = open_file(folder(), O_RDONLY | O_DIRECTORY);
  EXPECT_EQ(errno_of(::fsync(open.get())), 0);
  EXPECT_EQ(errno_of(::fsync(open_file(path("f"), O_RDONLY).get())), 0) << "of a descriptor that only reads";
  EXPECT_EQ(errno_of(::syncfs(open.get())), 0);
}

}  // namespace
}  // namespace geogrid::test
