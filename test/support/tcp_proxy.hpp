#pragma once
// A TCP relay on the test's own loop that breaks connections at chosen moments.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>

namespace geogrid::test {

class TcpProxy {
 public:
  enum class Cut {
    never,
    before,        ///< the data is not passed on
    after,         ///< the data is passed on, and the answer waited for, but not passed back
    in_the_midst,  ///< the data is passed on, and both sides are cut at once
  };
  /// Listens on a free port of 127.0.0.1 and relays to 127.0.0.1:target.
  TcpProxy(boost::asio::io_context& loop, std::uint16_t target);
  ~TcpProxy();

  std::uint16_t port() const;
  /// Cuts the next connection whose client sends data that holds `needle`; later ones pass.
  void cut_once(Cut how, std::string needle);
  bool has_cut() const;
  /// Stops listening and cuts all.
  void close();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace geogrid::test
