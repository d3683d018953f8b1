#include "net/portmap/discovery.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <deque>
#include <map>
#include <utility>

#include "net/neighbours.hpp"
#include "net/portmap/discovery_parts.hpp"
#include "net/task_group.hpp"

namespace p2pdiag::net::portmap {

namespace asio = boost::asio;

namespace {

// A network has one router, seldom two; a device that answers under hundreds of names is hostile,
// and is listed without being read.
constexpr std::size_t max_hosts = 16;
constexpr std::size_t max_read_per_host = 4;

// One search: tasks that ask, and what they have found. They hold it by shared_ptr, since they end
// after the search does when that is cancelled.
class Search : public std::enable_shared_from_this<Search> {
public:
    Search(std::shared_ptr<Discovered> found, SearchTargets targets, DiscoveryLimits limits)
        : found_(std::move(found)), targets_(std::move(targets)), limits_(limits) {
        found_->gateways = targets_.gateways;
    }

    void start(const std::shared_ptr<TaskGroup>& tasks) {
        tasks_ = tasks;
        for (std::size_t i = 0; i < found_->gateways.size(); ++i) {
            tasks->spawn(ask_gateway(shared_from_this(), i, Protocol::pcp));
            if (!found_->gateways[i].address.is_v4()) continue;
            tasks->spawn(ask_gateway(shared_from_this(), i, Protocol::natpmp));
        }
        if (!targets_.links.empty()) tasks->spawn(find_igds(shared_from_this()));
    }

    TimePoint end() const {
        SearchProgress progress = progress_;
        for (const auto& [address, host] : hosts_) {
            if (!host.preferred) continue;
            progress.reading = progress.reading || host.busy;
            progress.looking = progress.looking || host.looking;
        }
        progress.awaiting = awaits_pinholes();
        return start_ + search_end(progress, limits_);
    }

    void finish() {
        found_->took = elapsed();
        found_->ended_early = progress_.working && found_->took < limits_.window;
    }

private:
    enum class Step { look, read };
    struct Host {
        bool preferred = false;
        bool busy = false;
        bool looking = false;
        std::size_t known = 0;
        std::deque<std::pair<Step, std::size_t>> steps;  // and the report that it is about
    };

    Milliseconds elapsed() const {
        return std::chrono::duration_cast<Milliseconds>(Clock::now() - start_);
    }

    // The router on the way to the internet opens pinholes, as it says over IPv4. It is asked for
    // them over IPv6, and has not answered there yet.
    bool awaits_pinholes() const {
        const auto& links = targets_.addresses;
        const bool of_use = std::any_of(links.begin(), links.end(),
                                        [](const auto& link) { return link.ipv6.has_value(); });
        if (!of_use) return false;
        bool over_v4 = false;
        for (const IgdReport& igd : found_->igds) {
            if (!igd.description || !*igd.description || !(**igd.description).firewall) continue;
            if (!igd.answer.from.is_v4() && igd.firewall) return false;
            over_v4 = over_v4 || (igd.answer.from.is_v4() && igd.preferred);
        }
        return over_v4;
    }

    void it_works() {
        if (!progress_.working) progress_.working = elapsed();
    }

    static asio::awaitable<void> ask_gateway(std::shared_ptr<Search> self, std::size_t index,
                                             Protocol protocol) {
        Service service;
        {
            const GatewayReport& gateway = self->found_->gateways[index];
            service.protocol = protocol;
            service.router = gateway.address;
            service.interface = gateway.interface;
            service.local = gateway.local;
        }
        auto outcome = co_await ask_status(std::move(service));
        if (outcome) self->it_works();
        GatewayReport& gateway = self->found_->gateways[index];
        (protocol == Protocol::pcp ? gateway.pcp : gateway.natpmp) = std::move(outcome);
    }

    static asio::awaitable<void> find_igds(std::shared_ptr<Search> self) {
        const std::function<void(const SsdpAnswer&)> on_answer = [self](const SsdpAnswer& answer) {
            self->on_answer(answer);
        };
        const TimePoint until = self->start_ + self->limits_.window;
        co_await ssdp_search(self->targets_.links, until, on_answer);
    }

    template <class IsIt>
    void recognise(IgdReport& report, IsIt is_it) const {
        for (const GatewayReport& gateway : found_->gateways) {
            if (!is_it(gateway)) continue;
            report.on_gateway = true;
            report.preferred = report.preferred || gateway.preferred;
        }
    }

    // IPv6 routes lead to a router's link-local address, and it answers from its global one. Both
    // have been sent to by now, so the kernel knows whether they belong to one host.
    void recognise_neighbour(IgdReport& report) const {
        const SsdpAnswer& answer = report.answer;
        if (report.on_gateway || answer.from.is_v4()) return;
        const auto table = neighbours();
        if (!table) return;
        recognise(report, [&](const GatewayReport& gateway) {
            return gateway.interface == answer.interface &&
                   same_neighbour(*table, answer.interface, gateway.address, answer.from);
        });
    }

    void on_answer(const SsdpAnswer& answer) {
        IgdReport report;
        report.answer = answer;
        report.after = elapsed();
        recognise(report, [&](const GatewayReport& gateway) {
            // The same link-local address may be there on every link.
            const bool elsewhere = answer.from.scope() == AddressScope::link_local &&
                                   gateway.interface != answer.interface;
            return gateway.address == answer.from && !elsewhere;
        });
        const bool preferred = report.preferred;
        found_->igds.push_back(std::move(report));
        if (hosts_.size() >= max_hosts && !hosts_.contains(answer.from)) return;
        Host& host = hosts_[answer.from];
        if (host.known++ >= max_read_per_host) return;
        host.preferred = host.preferred || preferred;
        // What it is comes before the details of the one before it.
        host.steps.emplace_front(Step::look, found_->igds.size() - 1);
        next_step(answer.from);
    }

    // Many routers do one thing at a time, and answer a second request with an error.
    void next_step(const IpAddress& address) {
        Host& host = hosts_[address];
        const auto tasks = tasks_.lock();
        if (host.busy || host.steps.empty() || !tasks) return;
        const auto [step, index] = host.steps.front();
        host.steps.pop_front();
        host.busy = true;
        host.looking = step == Step::look;
        tasks->spawn(step == Step::look ? look(shared_from_this(), index)
                                        : read(shared_from_this(), index));
    }

    void end_step(std::size_t index, bool more) {
        const IpAddress address = found_->igds[index].answer.from;
        Host& host = hosts_[address];
        host.busy = host.looking = false;
        if (more) host.steps.emplace_back(Step::read, index);
        next_step(address);
    }

    // What it is, and whether it works.
    static asio::awaitable<void> look(std::shared_ptr<Search> self, std::size_t index) {
        const SsdpAnswer answer = self->found_->igds[index].answer;
        auto description =
            co_await describe_igd(answer.location, answer.from, answer.interface, answer.local);
        if (description) {
            self->set_local(*description, answer.interface);
            self->recognise_neighbour(self->found_->igds[index]);
        }
        std::optional<Service> mapping;
        bool more = false;
        if (description) {
            mapping = description->mapping;
            more = mapping || description->firewall;
        }
        self->found_->igds[index].description = std::move(description);
        if (mapping) {
            auto status = co_await igd_status(std::move(*mapping));
            self->found_->igds[index].status = std::move(status);
        }
        const IgdReport& report = self->found_->igds[index];
        if (report.usable()) {
            self->it_works();
            if (report.preferred && !self->progress_.usable) {
                self->progress_.usable = self->elapsed();
            }
        }
        self->end_step(index, more);
    }

    // What it maps and lets through already.
    static asio::awaitable<void> read(std::shared_ptr<Search> self, std::size_t index) {
        const std::optional<Service> firewall = self->about(index).firewall;
        const std::optional<Service> mapping = self->about(index).mapping;
        if (firewall) {
            auto status = co_await igd_firewall_status(*firewall);
            self->found_->igds[index].firewall = std::move(status);
        }
        if (mapping) {
            const Milliseconds longest = std::max(usual_listing, self->limits_.reading);
            auto mappings = co_await igd_mappings(*mapping, most_listed, longest);
            self->found_->igds[index].mappings = std::move(mappings);
        }
        self->end_step(index, false);
    }

    const IgdDescription& about(std::size_t index) const {
        return **found_->igds[index].description;
    }

    // A router that was found over one family maps for the other as well.
    void set_local(IgdDescription& description, int interface) const {
        for (const LinkAddresses& link : targets_.addresses) {
            if (link.interface != interface) continue;
            if (description.mapping && link.ipv4) description.mapping->local = *link.ipv4;
            if (description.firewall && link.ipv6) description.firewall->local = *link.ipv6;
        }
    }

    const TimePoint start_ = Clock::now();
    std::shared_ptr<Discovered> found_;
    SearchTargets targets_;
    DiscoveryLimits limits_;
    SearchProgress progress_;
    std::map<IpAddress, Host> hosts_;
    std::weak_ptr<TaskGroup> tasks_;  // whose tasks hold this search
};

// Also when it is cancelled.
class FinishAtEnd {
public:
    explicit FinishAtEnd(Search& search) : search_(search) {}
    ~FinishAtEnd() { search_.finish(); }
    FinishAtEnd(const FinishAtEnd&) = delete;
    FinishAtEnd& operator=(const FinishAtEnd&) = delete;

private:
    Search& search_;
};

}  // namespace

bool IgdReport::usable() const {
    if (!description || !*description || !(*description)->mapping) return false;
    if (!status || !*status) return false;
    const IgdStatus& said = **status;
    const bool connected = said.connection.empty() || said.connection == "Connected";
    if (!connected || !said.external) return false;
    const AddressScope scope = said.external->scope();
    return scope != AddressScope::unspecified && scope != AddressScope::loopback;
}

asio::awaitable<void> discover_among(std::shared_ptr<Discovered> found, SearchTargets targets,
                                     DiscoveryLimits limits) {
    const auto executor = co_await asio::this_coro::executor;
    const auto search = std::make_shared<Search>(std::move(found), std::move(targets), limits);
    const FinishAtEnd finish(*search);
    const auto tasks = std::make_shared<TaskGroup>(executor);
    search->start(tasks);
    while (tasks->running() > 0 && Clock::now() < search->end()) {
        co_await tasks->wait_for_change(search->end());
    }
    tasks->cancel();
    co_await tasks->wait();
}

asio::awaitable<void> discover(std::shared_ptr<Discovered> found, DiscoveryLimits limits) {
    SearchTargets targets = search_targets(local_network());
    co_await discover_among(std::move(found), std::move(targets), limits);
}

}  // namespace p2pdiag::net::portmap
