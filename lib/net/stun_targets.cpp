#include "net/stun_targets.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <optional>

#include "base/host_port.hpp"
#include "net/resolve.hpp"
#include "net/task_group.hpp"
#include "wire/stun/message.hpp"

namespace p2pdiag::net {

namespace asio = boost::asio;

namespace {

constexpr Milliseconds longest_lookup{2000};
constexpr std::size_t most_targets = 4;

struct TargetLookup {
    std::string host;
    std::uint16_t port = 0;
    std::optional<Endpoint> found;
};

asio::awaitable<void> look_up_target(std::shared_ptr<TargetLookup> lookup, Family family,
                                     TimePoint until) {
    const auto addresses = co_await resolve(lookup->host, family, until);
    if (addresses) lookup->found = Endpoint{addresses->front(), lookup->port};
}

}  // namespace

std::optional<StunServerName> parse_stun_server(std::string_view text) {
    // RFC 7064 section 3.1: "stun" / "stuns" ":" host [ ":" port ].
    const bool tls = text.starts_with("stuns:");
    if (tls) {
        text.remove_prefix(6);
    } else if (text.starts_with("stun:")) {
        text.remove_prefix(5);
    }
    const auto parsed = parse_host_port(text);
    if (!parsed || parsed->host.empty()) return std::nullopt;
    const std::uint16_t usual = tls ? stun::default_tls_port : stun::default_port;
    return StunServerName{parsed->host, parsed->port.value_or(usual), tls};
}

asio::awaitable<std::vector<Endpoint>> stun_targets(std::vector<std::string> servers,
                                                    Family family) {
    TaskGroup tasks(co_await asio::this_coro::executor);
    const TimePoint until = Clock::now() + longest_lookup;
    std::vector<std::shared_ptr<TargetLookup>> lookups;
    for (const std::string& server : servers) {
        const auto parsed = parse_stun_server(server);
        // TLS proves nothing of UDP.
        if (!parsed || parsed->tls || lookups.size() == most_targets) continue;
        auto lookup = std::make_shared<TargetLookup>();
        lookup->host = parsed->host;
        lookup->port = parsed->port;
        lookups.push_back(lookup);
        tasks.spawn(look_up_target(lookup, family, until));
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

}  // namespace p2pdiag::net
