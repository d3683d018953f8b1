#include "net/resolve.hpp"

#include <netdb.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/host_port.hpp"
#include "net/borrowed_descriptor.hpp"
#include "net/endpoint.hpp"

namespace p2pdiag::net {

namespace asio = boost::asio;

namespace {

constexpr std::size_t max_addresses = 16;
// The system's resolver waits 5 s before it asks again (resolv.conf(5), "timeout"), longer than a
// run may take. So a lookup without an answer is started anew beside the old one; whichever answers
// first counts.
constexpr Milliseconds ask_again{150};
constexpr int most_lookups = 5;

struct ResolveCategory : boost::system::error_category {
    const char* name() const noexcept override { return "resolve"; }
    std::string message(int value) const override {
        switch (static_cast<ResolveError>(value)) {
            case ResolveError::not_found: return "the name does not exist";
            case ResolveError::no_address: return "the name has no address of this family";
            case ResolveError::temporary_failure: return "no name server answered";
            case ResolveError::timed_out: return "no answer from the name servers in time";
            case ResolveError::failed: break;
        }
        return "the name could not be looked up";
    }
};

using Addresses = Result<std::vector<IpAddress>>;

ResolveError from_gai(int code) {
    switch (code) {
        case EAI_NONAME: return ResolveError::not_found;
#ifdef EAI_NODATA
        case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
        case EAI_ADDRFAMILY:
#endif
            return ResolveError::no_address;
        case EAI_AGAIN: return ResolveError::temporary_failure;
        default: return ResolveError::failed;
    }
}

Addresses look_up(const std::string& host, Family family) {
    addrinfo hints{};
    hints.ai_family = family == Family::ipv4 ? AF_INET : AF_INET6;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* list = nullptr;
    const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
    if (code != 0) return from_gai(code);
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);

    std::vector<IpAddress> addresses;
    for (const addrinfo* item = list; item != nullptr; item = item->ai_next) {
        const auto endpoint = from_sockaddr(item->ai_addr);
        if (!endpoint || endpoint->address.family() != family) continue;
        const bool known =
            std::find(addresses.begin(), addresses.end(), endpoint->address) != addresses.end();
        if (!known && addresses.size() < max_addresses) addresses.push_back(endpoint->address);
    }
    if (addresses.empty()) return ResolveError::no_address;
    return addresses;
}

// Shared by the thread that looks up and the coroutine that waits; whoever leaves last cleans up,
// so a resolver that hangs holds nobody.
class Lookup {
public:
    Lookup() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
    ~Lookup() {
        if (event_ >= 0) ::close(event_);
    }
    Lookup(const Lookup&) = delete;
    Lookup& operator=(const Lookup&) = delete;

    int event() const { return event_; }

    void finish(Addresses addresses) {
        const std::lock_guard lock(mutex_);
        if (finished_) return;
        finished_ = true;
        addresses_ = std::move(addresses);
        ::eventfd_write(event_, 1);
    }
    bool finished() {
        const std::lock_guard lock(mutex_);
        return finished_;
    }
    Addresses result() {
        const std::lock_guard lock(mutex_);
        return addresses_;
    }

private:
    int event_;
    std::mutex mutex_;
    bool finished_ = false;
    Addresses addresses_ = ResolveError::timed_out;
};

bool start(const std::shared_ptr<Lookup>& lookup, std::string host, Family family) {
    try {
        std::thread([lookup, host = std::move(host), family] {
            lookup->finish(look_up(host, family));
        }).detach();
        return true;
    } catch (const std::system_error&) {
        return false;  // no more threads
    }
}

}  // namespace

const boost::system::error_category& resolve_category() {
    static const ResolveCategory category;
    return category;
}

ErrorCode make_error_code(ResolveError error) {
    return {static_cast<int>(error), resolve_category()};
}

std::string_view to_string(ResolveError error) {
    switch (error) {
        case ResolveError::not_found: return "not-found";
        case ResolveError::no_address: return "no-address";
        case ResolveError::temporary_failure: return "temporary-failure";
        case ResolveError::timed_out: return "timed-out";
        case ResolveError::failed: break;
    }
    return "failed";
}

asio::awaitable<Addresses> resolve(std::string host, Family family, TimePoint deadline) {
    if (const auto literal = IpAddress::parse(host)) {
        if (literal->family() != family) co_return ResolveError::no_address;
        co_return std::vector<IpAddress>(1, *literal);
    }
    if (!is_host_name(host)) co_return ResolveError::failed;

    const auto lookup = std::make_shared<Lookup>();
    BorrowedDescriptor event(co_await asio::this_coro::executor, lookup->event());
    if (!event.valid()) co_return ResolveError::failed;
    for (int started = 1; !lookup->finished() && Clock::now() < deadline; ++started) {
        if (!start(lookup, host, family) && started == 1) co_return ResolveError::failed;
        const TimePoint asked_until =
            started < most_lookups ? std::min(Clock::now() + ask_again, deadline) : deadline;
        while (!lookup->finished() && Clock::now() < asked_until) {
            co_await event.wait(asio::posix::stream_descriptor::wait_read, asked_until);
        }
    }
    co_return lookup->result();
}

}  // namespace p2pdiag::net
