#include "support/tcp_proxy.hpp"

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <set>
#include <string_view>

namespace geogrid::test {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

struct Pair {
  explicit Pair(const asio::any_io_executor& executor) : client(executor), server(executor) {}
  tcp::socket client;
  tcp::socket server;
  bool answer_is_dropped = false;
  void close() {
    boost::system::error_code ignored;
    client.close(ignored);
    server.close(ignored);
  }
};

}  // namespace

struct TcpProxy::State : std::enable_shared_from_this<State> {
  State(asio::io_context& loop, std::uint16_t t)
      : acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), target(t) {}
  tcp::acceptor acceptor;
  std::uint16_t target;
  std::set<std::shared_ptr<Pair>> pairs;
  Cut cut = Cut::never;
  std::string needle;
  bool has_cut = false;

  asio::awaitable<void> accept(std::shared_ptr<State> self);
  asio::awaitable<void> to_server(std::shared_ptr<State> self, std::shared_ptr<Pair> pair);
  asio::awaitable<void> to_client(std::shared_ptr<State> self, std::shared_ptr<Pair> pair);
  Cut cut_for(std::string_view data);
};

TcpProxy::Cut TcpProxy::State::cut_for(std::string_view data) {
  if (cut == Cut::never || data.find(needle) == std::string_view::npos) return Cut::never;
  has_cut = true;
  return std::exchange(cut, Cut::never);
}

asio::awaitable<void> TcpProxy::State::accept(std::shared_ptr<State> self) {
  for (;;) {
    auto pair = std::make_shared<Pair>(acceptor.get_executor());
    boost::system::error_code error;
    co_await acceptor.async_accept(pair->client, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    co_await pair->server.async_connect(tcp::endpoint(asio::ip::address_v4::loopback(), target),
                                        asio::redirect_error(asio::use_awaitable, error));
    if (error) continue;
    pairs.insert(pair);
    asio::co_spawn(acceptor.get_executor(), to_server(self, pair), asio::detached);
    asio::co_spawn(acceptor.get_executor(), to_client(self, pair), asio::detached);
  }
}

asio::awaitable<void> TcpProxy::State::to_server(std::shared_ptr<State> self, std::shared_ptr<Pair> pair) {
  std::array<char, 65536> buffer{};
  boost::system::error_code error;
  for (;;) {
    const std::size_t size = co_await pair->client.async_read_some(
        asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    const Cut how = self->cut_for({buffer.data(), size});
    if (how == Cut::before) break;
    if (how == Cut::after) pair->answer_is_dropped = true;
    co_await asio::async_write(pair->server, asio::buffer(buffer.data(), size),
                               asio::redirect_error(asio::use_awaitable, error));
    if (error || how == Cut::in_the_midst) break;
  }
  pair->close();
  self->pairs.erase(pair);
}

asio::awaitable<void> TcpProxy::State::to_client(std::shared_ptr<State> self, std::shared_ptr<Pair> pair) {
  std::array<char, 65536> buffer{};
  boost::system::error_code error;
  for (;;) {
    const std::size_t size = co_await pair->server.async_read_some(
        asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    if (error || pair->answer_is_dropped) break;
    co_await asio::async_write(pair->client, asio::buffer(buffer.data(), size),
                               asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
  }
  pair->close();
  self->pairs.erase(pair);
}

TcpProxy::TcpProxy(asio::io_context& loop, std::uint16_t target)
    : state_(std::make_shared<State>(loop, target)) {
  asio::co_spawn(loop, state_->accept(state_), asio::detached);
}

TcpProxy::~TcpProxy() {
  close();
}

std::uint16_t TcpProxy::port() const {
  return state_->acceptor.local_endpoint().port();
}

void TcpProxy::cut_once(Cut how, std::string needle) {
  state_->cut = how;
  state_->needle = std::move(needle);
  state_->has_cut = false;
}

bool TcpProxy::has_cut() const {
  return state_->has_cut;
}

void TcpProxy::close() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  for (const auto& pair : state_->pairs) pair->close();
}

}  // namespace geogrid::test
