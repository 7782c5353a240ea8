#include "config/secret.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "config/reader.hpp"

namespace geogrid {
namespace {

class Secrets : public testing::Test {
 protected:
  Secrets() {
    std::string form = testing::TempDir() + "secretsXXXXXX";
    folder_ = ::mkdtemp(form.data());
    ::chmod(folder_.c_str(), 0755);  // so that only the files' own modes are in the way
  }
  ~Secrets() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ / name; }
  std::string write(const std::string& name, const std::string& content, mode_t mode = 0600) const {
    std::ofstream(path(name), std::ios::binary) << content;
    ::chmod(path(name).c_str(), mode);
    return path(name);
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(Secrets, OneFinalNewlineIsNoPartOfIt) {
  EXPECT_EQ(read_secret(write("a", "s3cret")).value(), "s3cret");
  EXPECT_EQ(read_secret(write("b", "s3cret\n")).value(), "s3cret");
  EXPECT_EQ(read_secret(write("c", "s3cret\n\n")).value(), "s3cret\n");
  EXPECT_EQ(read_secret(write("d", std::string("\0\xff x", 4))).value(), std::string("\0\xff x", 4));
  EXPECT_EQ(read_secret(write("e", "s", 0400)).value(), "s");
}

TEST_F(Secrets, OthersMustHaveNoAccess) {
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0601U, 0666U}) {
    const std::string file = write("f", "s3cret", mode);
    const auto secret = read_secret(file);
    ASSERT_FALSE(secret) << mode;
    EXPECT_TRUE(secret.error().is(errc::refused));
    EXPECT_NE(secret.error().message.find("chmod 600 " + file), std::string::npos) << secret.error().message;
  }
}

TEST_F(Secrets, OnlyRegularFilesOfReasonableSize) {
  EXPECT_TRUE(read_secret(path("missing")).error().is(std::errc::no_such_file_or_directory));
  EXPECT_TRUE(read_secret(path("")).error().is(errc::is_a_folder));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(
      read_secret(path("pipe")).error().is(errc::invalid_argument));  // and does not wait for a writer
  EXPECT_TRUE(read_secret("/dev/zero").error().is(errc::invalid_argument));
  EXPECT_TRUE(read_secret(write("empty", "")).error().is(errc::invalid_argument));
  EXPECT_TRUE(read_secret(write("newline", "\n")).error().is(errc::invalid_argument));
  EXPECT_TRUE(read_secret(write("most", std::string(kMaxSecretBytes, 'x'))));
  EXPECT_TRUE(
      read_secret(write("more", std::string(kMaxSecretBytes + 1, 'x'))).error().is(errc::invalid_argument));
}

TEST_F(Secrets, AnothersFileIsRefusedUnlessOneIsRoot) {
  const std::string file = write("theirs", "s3cret");
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  ASSERT_EQ(::chown(file.c_str(), 65534, 65534), 0);
  EXPECT_EQ(read_secret(file).value(), "s3cret");
  ASSERT_EQ(::seteuid(12345), 0);
  const auto other = read_secret(file);
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_TRUE(other.error().is(std::errc::permission_denied)) << other.error().message;
}

TEST_F(Secrets, CheckLooksOnlyAtFilesThatExist) {
  const std::string open = write("open", "s3cret", 0644);
  const std::string fine = write("fine", "s3cret");
  const std::string text = "cluster: x\nmetadata:\n  password_file: " + open + "\n  tls: { ca: " + open +
                           " }\ncluster_key_file: " + fine + "\nbackup: { secret_file: " + path("missing") +
                           " }\n";
  const ConfigResult read = parse_config(text, "c");
  ASSERT_TRUE(read) << read.error().message;
  const auto faults = check_secret_files(*read.config);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].line, 3);
  EXPECT_NE(faults[0].message.find("chmod 600"), std::string::npos);
}

TEST_F(Secrets, ConfigurationFilesThatCannotBeRead) {
  const auto fault = [](const std::string& file) {
    const ConfigResult read = read_config(file);
    return read ? "no fault" : read.error().message;
  };
  EXPECT_EQ(fault(path("missing")),
            path("missing") + ": cannot read " + path("missing") + ": No such file or directory");
  EXPECT_NE(fault(path("")).find("is a folder"), std::string::npos);
  EXPECT_NE(fault("/dev/null").find("not a regular file"), std::string::npos);
  EXPECT_NE(fault(write("empty.yaml", "")).find("is empty"), std::string::npos);
  EXPECT_NE(fault(write("large.yaml", std::string(kMaxConfigBytes + 1, '#'))).find("larger than"),
            std::string::npos);
  EXPECT_EQ(fault(write("good.yaml", "cluster: x\n")), "no fault");
  const std::string closed = write("closed.yaml", "cluster: x\n", 0000);
  const bool as_root = ::geteuid() == 0;
  if (as_root) {
    ASSERT_EQ(::seteuid(12345), 0);
  }
  const std::string refused = fault(closed);
  if (as_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_NE(refused.find("Permission denied"), std::string::npos) << refused;
}

}  // namespace
}  // namespace geogrid
