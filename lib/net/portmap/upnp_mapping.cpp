#include "net/portmap/upnp_mapping.hpp"

#include <utility>
#include <vector>

#include "base/text.hpp"
#include "net/portmap/igd.hpp"

namespace p2pdiag::net::portmap {

namespace asio = boost::asio;

namespace {

// Further external ports that are tried where any will do.
constexpr unsigned more_ports = 4;
// Routers are known to cut descriptions; less than this tells nothing.
constexpr std::size_t least_description = 8;
// A lease that was read a moment later is the one that was asked for.
constexpr Seconds moment{5};

enum class Holder { nobody, ours, foreign, unknown };

struct Looked {
    Holder holder = Holder::unknown;
    IgdMapping entry;  // of ours and foreign
    Failure failure;   // of unknown
};

struct Wish {
    Service service;
    MapRequest request;
    std::optional<std::string> listed_as;  // of one that was granted before
};

bool same_description(const std::string& listed, const std::string& ours) {
    if (listed == ours) return true;
    return listed.size() >= least_description && ours.starts_with(listed);
}

bool has_our_name(const IgdMapping& entry, const Wish& wish) {
    return same_description(entry.description, wish.request.description) ||
           entry.description == wish.listed_as;
}

bool leads_here(const IgdMapping& entry, const Wish& wish) {
    return entry.internal_address == wish.service.local.unmapped();
}

// Some routers list names in place of addresses.
bool may_lead_here(const IgdMapping& entry, const Wish& wish) {
    return leads_here(entry, wish) || !entry.internal_address;
}

bool is_ours(const IgdMapping& entry, const Wish& wish) {
    return may_lead_here(entry, wish) && entry.internal_port == wish.request.internal_port &&
           has_our_name(entry, wish);
}

// Whoever made it.
bool serves_us(const IgdMapping& entry, const Wish& wish) {
    const bool same_port = entry.internal_port == wish.request.internal_port;
    return (leads_here(entry, wish) && same_port) || is_ours(entry, wish);
}

std::string owner_of(const IgdMapping& entry, const Wish& wish) {
    const std::string address =
        entry.internal_address ? entry.internal_address->to_string() : "an unknown address";
    std::string text = leads_here(entry, wish) ? "this machine, " + address : address;
    text += " port " + std::to_string(entry.internal_port);
    if (!entry.description.empty()) text += ", \"" + printable(entry.description) + "\"";
    return text;
}

Failure conflict(const IgdMapping& entry, const Wish& wish, int code = 0) {
    const std::string port = std::to_string(entry.external_port);
    return {Problem::conflict,
            code,
            "external port " + port + " belongs to " + owner_of(entry, wish),
            {}};
}

// The router is not there (any more), or not what it was: no other question will fare better.
bool is_gone(const Failure& failure) {
    return failure.problem == Problem::absent || failure.problem == Problem::no_answer ||
           failure.problem == Problem::no_route || failure.problem == Problem::foreign_url;
}

// ConflictInMappingEntry, which some routers call a failed action.
bool is_conflict(const Failure& failure) {
    constexpr int action_failed = 501;
    return failure.problem == Problem::conflict || failure.code == action_failed;
}

bool is_version_two(const Service& service) {
    return service.service_type.find("WANIPConnection:2") != std::string::npos;
}

asio::awaitable<Looked> look(Wish wish, std::uint16_t external_port) {
    Looked looked;
    auto entry = co_await igd_mapping(wish.service, wish.request.transport, external_port);
    if (entry) {
        looked.holder = is_ours(*entry, wish) ? Holder::ours : Holder::foreign;
        looked.entry = std::move(*entry);
    } else if (entry.error().problem == Problem::not_found) {
        looked.holder = Holder::nobody;
    } else {
        looked.failure = entry.error();
    }
    co_return looked;
}

MapGrant as_listed(MapGrant grant, const IgdMapping& entry, const Wish& wish) {
    const Seconds asked = wish.request.lifetime;
    const bool just_made = entry.lease <= asked && asked - entry.lease <= moment;
    grant.lifetime = just_made && entry.lease.count() > 0 ? asked : entry.lease;
    const bool known = same_description(entry.description, wish.request.description);
    grant.listed_as = known ? std::nullopt : std::optional(entry.description);
    return grant;
}

// What the router has made of a mapping that it says to have made.
asio::awaitable<Outcome<MapGrant>> confirm(Wish wish, MapGrant grant, Holder before) {
    const Looked after = co_await look(wish, grant.external_port);
    if (after.holder == Holder::unknown) {
        if (wish.request.lifetime.count() == 0) grant.lifetime = Seconds(0);
        co_return grant;
    }
    if (after.holder == Holder::nobody) {
        if (wish.request.lifetime.count() == 0) grant.lifetime = Seconds(0);
        grant.unlisted = true;
        co_return grant;
    }
    if (serves_us(after.entry, wish)) co_return as_listed(grant, after.entry, wish);
    // It may lead to a port or an address that nobody asked for. Where nobody had the external port
    // before, that is our doing; with another address the whole name has to be ours, which no other
    // machine has.
    const bool other_address = !may_lead_here(after.entry, wish);
    const bool same_port = after.entry.internal_port == wish.request.internal_port;
    const bool half_ours = other_address ? before == Holder::nobody &&
                                               after.entry.description == wish.request.description
                                         : has_our_name(after.entry, wish) || same_port;
    if (!half_ours) co_return conflict(after.entry, wish);
    if (before == Holder::nobody) {
        co_await igd_delete(wish.service, wish.request.transport, grant.external_port);
    }
    const std::string asked =
        other_address ? wish.service.local.to_string() + " port " : "internal port ";
    co_return Failure{Problem::failed,
                      0,
                      "asked for " + asked + std::to_string(wish.request.internal_port) +
                          ", the router has mapped " + owner_of(after.entry, wish),
                      {}};
}

// The router refuses because of what is there.
asio::awaitable<Outcome<MapGrant>> settle_conflict(Wish wish, Failure failure) {
    const std::uint16_t port = wish.request.external_port;
    const Looked looked = co_await look(wish, port);
    if (looked.holder == Holder::foreign) co_return conflict(looked.entry, wish, failure.code);
    if (looked.holder != Holder::ours) co_return failure;
    MapGrant grant;
    grant.internal_port = wish.request.internal_port;
    grant.external_port = port;
    if (looked.entry.lease.count() == 0) co_return as_listed(grant, looked.entry, wish);
    // It would run out: a router that does not renew has to be given it anew.
    const auto removed = co_await igd_delete(wish.service, wish.request.transport, port);
    if (!removed) co_return as_listed(grant, looked.entry, wish);
    const auto added = co_await igd_add(wish.service, wish.request);
    if (!added) co_return added.error();
    co_return co_await confirm(wish, *added, Holder::nobody);
}

// At this external port, or by AddAnyPortMapping at any.
asio::awaitable<Outcome<MapGrant>> add_at(Wish wish, bool any_port) {
    Looked before;
    before.holder = Holder::nobody;
    if (!any_port) {
        before = co_await look(wish, wish.request.external_port);
        if (before.holder == Holder::foreign) co_return conflict(before.entry, wish);
        if (before.holder == Holder::unknown && is_gone(before.failure)) co_return before.failure;
    }
    // Once as asked, and once without an end where the router knows no other.
    for (;;) {
        auto adding = any_port ? igd_add_any(wish.service, wish.request)
                               : igd_add(wish.service, wish.request);
        const auto added = co_await std::move(adding);
        if (added) co_return co_await confirm(wish, *added, before.holder);
        const Failure failure = added.error();
        const bool other_lease = wish.request.lifetime.count() > 0 && !wish.request.lease_only;
        if (failure.problem == Problem::permanent_only && other_lease) {
            wish.request.lifetime = Seconds(0);
            continue;
        }
        if (is_conflict(failure) && !any_port) co_return co_await settle_conflict(wish, failure);
        co_return failure;
    }
}

// Deletes, and looks whether it is gone.
asio::awaitable<Outcome<void>> delete_ours(Wish wish, std::uint16_t external_port) {
    const auto removed = co_await igd_delete(wish.service, wish.request.transport, external_port);
    if (!removed && removed.error().problem != Problem::not_found) co_return removed;
    const Looked after = co_await look(wish, external_port);
    if (after.holder != Holder::ours) co_return Outcome<void>();
    co_return Failure{Problem::failed,
                      0,
                      "the router says that it has removed the mapping, and still lists it",
                      {}};
}

// Everything in the list that is ours. `external_port` 0 = at any port.
asio::awaitable<Outcome<void>> remove_listed(Wish wish, std::uint16_t external_port) {
    const auto list = co_await igd_mappings(wish.service);
    if (!list) co_return list.error();
    std::vector<std::uint16_t> ports;
    for (const IgdMapping& entry : list->entries) {
        const bool there = external_port == 0 || entry.external_port == external_port;
        const bool ours = entry.transport == wish.request.transport && is_ours(entry, wish);
        if (there && ours) ports.push_back(entry.external_port);
    }
    for (const std::uint16_t port : ports) {
        const auto removed = co_await delete_ours(wish, port);
        if (!removed) co_return removed;
    }
    if (ports.empty() && !list->complete) {
        co_return Failure{
            Problem::failed, 0, "not found in the part of its list that the router has told", {}};
    }
    co_return Outcome<void>();
}

Wish wish_of(Service service, MapRequest request) {
    return {std::move(service), std::move(request), std::nullopt};
}

Wish wish_of(Service service, MapRequest request, const MapGrant& grant) {
    return {std::move(service), std::move(request), grant.listed_as};
}

}  // namespace

Failure not_listed() {
    return {Problem::failed,
            0,
            "the router says that it has mapped the port, and does not list it",
            {}};
}

asio::awaitable<Outcome<MapGrant>> upnp_add(Service service, MapRequest request) {
    Wish wish = wish_of(std::move(service), std::move(request));
    std::uint16_t& port = wish.request.external_port;
    const bool any_port = port == 0;
    // Some routers take 0 for every port.
    if (any_port) port = wish.request.internal_port;
    Outcome<MapGrant> result = co_await add_at(wish, false);
    const auto taken = [&] { return !result && result.error().problem == Problem::conflict; };
    if (any_port && taken() && is_version_two(wish.service)) {
        result = co_await add_at(wish, true);
        if (result) co_return result;
    }
    for (unsigned tries = 0; any_port && tries < more_ports && taken(); ++tries) {
        port = random_port();
        result = co_await add_at(wish, false);
    }
    co_return result;
}

asio::awaitable<Outcome<MapGrant>> upnp_renew(Service service, MapRequest request, MapGrant grant) {
    request.external_port = grant.external_port;
    if (grant.lifetime == Seconds(0)) request.lifetime = Seconds(0);
    Wish wish = wish_of(std::move(service), std::move(request), grant);
    auto renewed = co_await add_at(std::move(wish), false);
    // What was listed before and is not now has been lost.
    if (renewed && renewed->unlisted && !grant.unlisted) co_return not_listed();
    co_return renewed;
}

asio::awaitable<Outcome<void>> upnp_remove(Service service, MapRequest request,
                                           std::optional<MapGrant> grant) {
    const std::uint16_t port = grant ? grant->external_port : request.external_port;
    Wish wish = wish_of(std::move(service), std::move(request), grant.value_or(MapGrant()));
    if (port == 0) co_return co_await remove_listed(wish, 0);
    const Looked looked = co_await look(wish, port);
    // What never was in its list may be there all the same.
    if (looked.holder == Holder::nobody && grant && grant->unlisted) {
        const auto unseen = co_await igd_delete(wish.service, wish.request.transport, port);
        if (!unseen && unseen.error().problem != Problem::not_found) co_return unseen;
        co_return Outcome<void>();
    }
    // What belongs to nobody is gone, and what belongs to somebody else is not ours to take.
    if (looked.holder == Holder::nobody || looked.holder == Holder::foreign) {
        co_return Outcome<void>();
    }
    if (looked.holder == Holder::ours) co_return co_await delete_ours(wish, port);
    if (is_gone(looked.failure)) co_return looked.failure;
    // Without GetSpecificPortMappingEntry there is the list, and without that our own word that it
    // was made.
    const auto listed = co_await remove_listed(wish, port);
    if (listed || !grant || is_gone(listed.error())) co_return listed;
    const auto removed = co_await igd_delete(wish.service, wish.request.transport, port);
    if (!removed && removed.error().problem != Problem::not_found) co_return removed;
    co_return Outcome<void>();
}

asio::awaitable<ReadBack> upnp_read_back(Service service, MapRequest request, MapGrant grant) {
    Wish wish = wish_of(std::move(service), std::move(request), grant);
    const Looked looked = co_await look(wish, grant.external_port);
    ReadBack result;
    if (looked.holder == Holder::nobody) {
        result.in_force = grant.unlisted ? InForce::unknown : InForce::no;
        if (grant.unlisted) result.detail = not_listed().text;
    } else if (looked.holder == Holder::unknown) {
        result.detail = looked.failure.text;
    } else if (serves_us(looked.entry, wish)) {
        result.in_force = looked.entry.enabled ? InForce::yes : InForce::no;
        result.switched_off = !looked.entry.enabled;
        result.remaining = looked.entry.lease;
    } else {
        result.in_force = InForce::foreign;
        result.owner = owner_of(looked.entry, wish);
    }
    co_return result;
}

}  // namespace p2pdiag::net::portmap
