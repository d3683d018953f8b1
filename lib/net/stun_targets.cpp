#include "stun_targets.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <optional>

#include "base/host_port.hpp"
#include "net/resolve.hpp"
#include "net/task_group.hpp"
#include "wire/stun/message.hpp"

namespace p2pdiag::upnp_plugin {

namespace asio = boost::asio;

namespace {

constexpr Milliseconds longest_lookup{2000};
constexpr std::size_t most_targets = 4;

struct Lookup {
    std::string host;
    std::uint16_t port = 0;
    std::optional<Endpoint> found;
};

asio::awaitable<void> look_up(std::shared_ptr<Lookup> lookup, Family family, TimePoint until) {
    const auto addresses = co_await net::resolve(lookup->host, family, until);
    if (addresses) lookup->found = Endpoint{addresses->front(), lookup->port};
}

}  // namespace

asio::awaitable<std::vector<Endpoint>> stun_targets(std::vector<std::string> servers,
                                                    Family family) {
    net::TaskGroup tasks(co_await asio::this_coro::executor);
    const TimePoint until = Clock::now() + longest_lookup;
    std::vector<std::shared_ptr<Lookup>> lookups;
    for (const std::string& server : servers) {
        // RFC 7064 section 3.1: "stuns" is TLS, which proves nothing of UDP.
        if (server.starts_with("stuns:") || lookups.size() == most_targets) continue;
        std::string_view text = server;
        if (text.starts_with("stun:")) text.remove_prefix(5);
        const auto parsed = parse_host_port(text);
        if (!parsed) continue;
        auto lookup = std::make_shared<Lookup>();
        lookup->host = parsed->host;
        lookup->port = parsed->port.value_or(stun::default_port);
        lookups.push_back(lookup);
        tasks.spawn(look_up(lookup, family, until));
    }
    co_await tasks.wait();
    std::vector<Endpoint> targets;
    for (const auto& lookup : lookups) {
        if (!lookup->found) continue;
        if (std::find(targets.begin(), targets.end(), *lookup->found) == targets.end()) {
            targets.push_back(*lookup->found);
        }
    }
    co_return targets;
}

}  // namespace p2pdiag::upnp_plugin
