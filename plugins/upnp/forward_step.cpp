#include "forward_step.hpp"

#include <net/if.h>

#include <chrono>
#include <limits>

namespace p2pdiag::upnp_plugin {

using portmap::MapGrant;
using portmap::MapRequest;
using portmap::Service;

namespace {

constexpr std::string_view mark = "p2pdiag ";
constexpr std::int64_t slack_s = 60;
// Longer than anything a router or a person makes; keeps arithmetic far from overflow.
constexpr std::int64_t longest_s = std::int64_t{10} * 365 * 24 * 3600;
constexpr std::size_t longest_text = 2048;

std::string to_hex(const portmap::PcpNonce& nonce) {
    constexpr const char* digits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : nonce) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

std::optional<portmap::PcpNonce> parse_nonce(std::string_view text) {
    portmap::PcpNonce nonce{};
    if (text.size() != 2 * nonce.size()) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool decimal = c >= '0' && c <= '9';
        if (!decimal && (c < 'a' || c > 'f')) return std::nullopt;
        const int digit = decimal ? c - '0' : c - 'a' + 10;
        nonce[i / 2] = static_cast<std::uint8_t>(nonce[i / 2] << 4 | digit);
    }
    return nonce;
}

template <class Integer>
std::optional<Integer> integer(const json::object& object, std::string_view key, std::int64_t least,
                               std::int64_t most) {
    const auto value = json::find_integer(object, key);
    if (!value || *value < least || *value > most) return std::nullopt;
    return static_cast<Integer>(*value);
}

std::optional<std::uint16_t> port(const json::object& object, std::string_view key,
                                  std::int64_t least = 1) {
    return integer<std::uint16_t>(object, key, least, 65535);
}

std::string text(const json::object& object, std::string_view key) {
    const auto found = json::find_string(object, key);
    return found ? std::string(found->substr(0, longest_text)) : std::string();
}

std::optional<IpAddress> address(const json::object& object, std::string_view key) {
    const auto found = json::find_string(object, key);
    return found ? IpAddress::parse(*found) : std::nullopt;
}

std::optional<Service> parse_service(const json::object& object,
                                     const std::string& interface_name) {
    Service service;
    const auto protocol = portmap::parse_protocol(text(object, "protocol"));
    const auto router = address(object, "router");
    const auto local = address(object, "local");
    if (!protocol || !router || !local) return std::nullopt;
    service.protocol = *protocol;
    service.router = *router;
    service.local = *local;
    service.interface =
        integer<int>(object, "interface", 0, std::numeric_limits<int>::max()).value_or(0);
    if (!interface_name.empty()) {
        if (const unsigned index = ::if_nametoindex(interface_name.c_str()); index != 0) {
            service.interface = static_cast<int>(index);
        }
    }
    service.control_url = text(object, "control_url");
    service.service_type = text(object, "service_type");
    service.udn = text(object, "udn");
    const bool upnp = service.protocol == portmap::Protocol::upnp;
    if (upnp && (service.control_url.empty() || service.service_type.empty())) return std::nullopt;
    return service;
}

json::object request_to_json(const MapRequest& request) {
    json::object object{{"transport", to_string(request.transport)},
                        {"internal_port", request.internal_port},
                        {"external_port", request.external_port},
                        {"lifetime_s", request.lifetime.count()},
                        {"nonce", to_hex(request.nonce)},
                        {"exact", request.exact}};
    if (request.lease_only) object["lease_only"] = true;
    return object;
}

std::optional<MapRequest> parse_request(const json::object& object) {
    MapRequest request;
    const auto transport = parse_transport(text(object, "transport"));
    const auto internal = port(object, "internal_port");
    const auto external = port(object, "external_port");
    const auto lifetime = integer<std::int64_t>(object, "lifetime_s", 0, longest_s);
    const auto nonce = parse_nonce(text(object, "nonce"));
    if (!transport || !internal || !external || !lifetime || !nonce) return std::nullopt;
    request.transport = *transport;
    request.internal_port = *internal;
    request.external_port = *external;
    request.lifetime = portmap::Seconds(*lifetime);
    request.nonce = *nonce;
    request.exact = json::find_bool(object, "exact").value_or(false);
    request.lease_only = json::find_bool(object, "lease_only").value_or(false);
    return request;
}

std::optional<Try> parse_try(const json::value& value) {
    if (!value.is_object()) return std::nullopt;
    const json::object& object = value.get_object();
    const json::object* service = json::find_object(object, "service");
    const json::object* request = json::find_object(object, "request");
    if (service == nullptr || request == nullptr) return std::nullopt;
    Try made;
    made.interface_name = text(object, "interface_name");
    made.router_name = text(object, "router_name");
    const auto parsed_service = parse_service(*service, made.interface_name);
    const auto parsed_request = parse_request(*request);
    if (!parsed_service || !parsed_request) return std::nullopt;
    made.service = *parsed_service;
    made.request = *parsed_request;
    return made;
}

std::optional<MapGrant> parse_grant(const json::object& object) {
    MapGrant grant;
    const auto internal = port(object, "internal_port");
    const auto external = port(object, "external_port");
    if (!internal || !external) return std::nullopt;
    grant.internal_port = *internal;
    grant.external_port = *external;
    grant.external_address = address(object, "external_address");
    if (const auto lifetime = integer<std::int64_t>(object, "lifetime_s", 0, longest_s)) {
        grant.lifetime = portmap::Seconds(*lifetime);
    }
    grant.epoch =
        integer<std::uint32_t>(object, "epoch_s", 0, std::numeric_limits<std::uint32_t>::max());
    grant.pinhole_id = port(object, "pinhole_id", 0);
    if (json::find_string(object, "listed_as")) grant.listed_as = text(object, "listed_as");
    grant.unlisted = object.if_contains("unlisted") != nullptr;
    return grant;
}

}  // namespace

const Attempt* Record::granted() const {
    return attempts.empty() || !attempts.back().grant ? nullptr : &attempts.back();
}

Attempt* Record::granted() {
    return attempts.empty() || !attempts.back().grant ? nullptr : &attempts.back();
}

Try try_of(const Step& step, const Attempt& attempt) {
    Try made = step.tries.at(attempt.index);
    if (attempt.service) made.service = *attempt.service;
    return made;
}

json::object to_json(const Service& service) {
    json::object object{{"protocol", portmap::to_string(service.protocol)},
                        {"router", service.router.to_string()},
                        {"interface", service.interface},
                        {"local", service.local.to_string()}};
    if (service.protocol == portmap::Protocol::upnp) {
        object["control_url"] = service.control_url;
        object["service_type"] = service.service_type;
    }
    if (!service.udn.empty()) object["udn"] = service.udn;
    return object;
}

json::object to_json(const MapGrant& grant) {
    json::object object{{"internal_port", grant.internal_port},
                        {"external_port", grant.external_port},
                        {"external_address", nullptr},
                        {"lifetime_s", nullptr},
                        {"epoch_s", nullptr}};
    if (grant.external_address) object["external_address"] = grant.external_address->to_string();
    if (grant.lifetime) object["lifetime_s"] = grant.lifetime->count();
    if (grant.epoch) object["epoch_s"] = *grant.epoch;
    if (grant.pinhole_id) object["pinhole_id"] = *grant.pinhole_id;
    if (grant.listed_as) object["listed_as"] = *grant.listed_as;
    if (grant.unlisted) object["unlisted"] = true;
    return object;
}

json::object to_json(const Step& step) {
    json::array tries;
    for (const Try& one : step.tries) {
        tries.push_back(json::object{{"service", to_json(one.service)},
                                     {"interface_name", one.interface_name},
                                     {"router_name", one.router_name},
                                     {"request", request_to_json(one.request)}});
    }
    return {{"tries", std::move(tries)}};
}

json::object to_json(const Record& record) {
    json::array attempts;
    for (const Attempt& attempt : record.attempts) {
        json::object object{
            {"try", attempt.index}, {"asked_at", attempt.asked_at}, {"grant", nullptr}};
        if (attempt.grant) object["grant"] = to_json(*attempt.grant);
        if (!attempt.router_hardware.empty()) object["router_hardware"] = attempt.router_hardware;
        if (attempt.service) object["service"] = to_json(*attempt.service);
        attempts.push_back(std::move(object));
    }
    return {{"attempts", std::move(attempts)}};
}

std::optional<Step> parse_step(const json::object& object) {
    const json::array* tries = json::find_array(object, "tries");
    if (tries == nullptr || tries->empty() || tries->size() > most_tries) return std::nullopt;
    Step step;
    for (const json::value& value : *tries) {
        const auto one = parse_try(value);
        if (!one) return std::nullopt;
        step.tries.push_back(*one);
    }
    return step;
}

std::optional<Record> parse_record(const json::object& object, const Step& step) {
    const json::array* attempts = json::find_array(object, "attempts");
    if (attempts == nullptr || attempts->size() > most_attempts) return std::nullopt;
    Record record;
    const auto last = static_cast<std::int64_t>(step.tries.size()) - 1;
    for (const json::value& value : *attempts) {
        if (!value.is_object()) return std::nullopt;
        const json::object& entry = value.get_object();
        Attempt attempt;
        const auto index = integer<std::size_t>(entry, "try", 0, last);
        const auto asked_at = integer<std::int64_t>(entry, "asked_at", 0,
                                                    std::numeric_limits<std::int64_t>::max() / 2);
        if (!index || !asked_at) return std::nullopt;
        attempt.index = *index;
        attempt.asked_at = *asked_at;
        attempt.router_hardware = text(entry, "router_hardware");
        if (const json::object* service = json::find_object(entry, "service")) {
            attempt.service = parse_service(*service, step.tries[*index].interface_name);
            if (!attempt.service) return std::nullopt;
        }
        if (const json::object* grant = json::find_object(entry, "grant")) {
            attempt.grant = parse_grant(*grant);
            if (!attempt.grant) return std::nullopt;
        }
        record.attempts.push_back(std::move(attempt));
    }
    return record;
}

std::string describe_as(std::string_view id) { return std::string(mark) + std::string(id); }

bool is_ours(std::string_view description) { return !id_of(description).empty(); }

std::string_view id_of(std::string_view description) {
    if (!description.starts_with(mark)) return {};
    const std::string_view id = description.substr(mark.size());
    constexpr std::size_t digits = 8;
    const bool hex = id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    return id.size() == digits && hex ? id : std::string_view();
}

bool lease_is_over(const Attempt& attempt, const Try& asked, std::int64_t now) {
    // UPnP alone keeps mappings for good (725), and whether it did is not known without a grant.
    const bool upnp = asked.service.protocol == portmap::Protocol::upnp;
    const bool told = attempt.grant && attempt.grant->lifetime;
    if (upnp && !told && !asked.request.lease_only) return false;
    portmap::Seconds lease = asked.request.lifetime;
    if (attempt.grant && attempt.grant->lifetime) lease = *attempt.grant->lifetime;
    if (upnp && lease.count() == 0) return false;
    return attempt.asked_at > 0 && now > attempt.asked_at + lease.count() + slack_s;
}

std::int64_t now_in_seconds() {
    using std::chrono::system_clock;
    return std::chrono::duration_cast<std::chrono::seconds>(system_clock::now().time_since_epoch())
        .count();
}

}  // namespace p2pdiag::upnp_plugin
