// A step of the change upnp.forward and the record of what became of it, as they lie in the host's
// journal: enough to take a forward back after a crash or a reboot, without searching again. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "net/portmap/mapping.hpp"

namespace p2pdiag::upnp_plugin {

namespace portmap = net::portmap;

// One way to have the port forwarded.
struct Try {
    portmap::Service service;
    std::string interface_name;   // its index may be another after a reboot; empty = not known
    std::string router_name;      // for people
    portmap::MapRequest request;  // without description, see describe_as()
};

// One port of one transport and family. The tries are made in this order until one succeeds.
struct Step {
    std::vector<Try> tries;

    const portmap::MapRequest& request() const { return tries.front().request; }
    Family family() const { return tries.front().service.local.family(); }
    bool pinhole() const { return family() == Family::ipv6; }
};

inline constexpr std::size_t most_tries = 8;
inline constexpr std::size_t most_attempts = 16;

// A try that was made and may have left something in a router.
struct Attempt {
    std::size_t index = 0;      // of Step::tries
    std::int64_t asked_at = 0;  // seconds since 1970, for after a reboot
    std::optional<portmap::MapGrant> grant;
    std::string router_hardware = {};  // whom it was made by, see router_identity.hpp
    // How it was asked for, where not as the step has it: this machine or the router had another
    // address by then.
    std::optional<portmap::Service> service = std::nullopt;
};

// Attempts in the order they were made; at most the last one has a grant.
struct Record {
    std::vector<Attempt> attempts;

    const Attempt* granted() const;
    Attempt* granted();
};

// The try that was made, as it was made.
Try try_of(const Step& step, const Attempt& attempt);

json::object to_json(const portmap::Service& service);
json::object to_json(const portmap::MapGrant& grant);
json::object to_json(const Step& step);
json::object to_json(const Record& record);

// Nothing when something in it is missing or impossible. Both come from a file that a person may
// have edited.
std::optional<Step> parse_step(const json::object& object);
std::optional<Record> parse_record(const json::object& object, const Step& step);

// How a mapping is known to be ours in a router's list: "p2pdiag 0123abcd".
std::string describe_as(std::string_view id);
bool is_ours(std::string_view description);
// The id in the description of a mapping of ours; empty when it is none.
std::string_view id_of(std::string_view description);

// Whether the router must have forgotten the mapping by now, even if it cannot be asked. Never for
// one that is, or may be, permanent (MapRequest::lease_only: it is not); and not before a minute
// has passed on top, for a clock of the router's own.
bool lease_is_over(const Attempt& attempt, const Try& asked, std::int64_t now);

std::int64_t now_in_seconds();  // since 1970

}  // namespace p2pdiag::upnp_plugin
