#include "base/text.hpp"
#include "servers.hpp"

namespace p2pdiag::stun_plugin {

namespace {

using net::Outcome;

// Whether the server can be used over this transport; null when that was not to be told from here.
json::value reachable(Outcome outcome) {
    switch (outcome) {
        case Outcome::ok:
        case Outcome::error_response: return true;
        case Outcome::no_route:
        case Outcome::local_error: return nullptr;
        default: return false;
    }
}

json::value reason(const net::BindingResult& result) {
    if (result.outcome == Outcome::ok) {
        const bool untrusted = result.certificate && !result.certificate->trusted;
        return untrusted ? json::value("tls-untrusted") : json::value(nullptr);
    }
    if (result.outcome == Outcome::error_response) {
        return json::value("error-" + std::to_string(result.response->error->code));
    }
    return json::value(net::to_string(result.outcome));
}

template <class T>
json::value text_or_null(const std::optional<T>& value) {
    return value ? json::value(value->to_string()) : json::value(nullptr);
}

}  // namespace

json::value icmp_json(const net::BindingResult& result) {
    if (!result.said) return nullptr;
    return json::object{{"by", result.said->by.to_string()},
                        {"meaning", icmp::to_string(result.said->meaning)}};
}

namespace {

json::value transport_json(const TransportReport& transport) {
    if (!transport.asked) return nullptr;
    json::object out{{"reachable", nullptr}, {"rtt_ms", nullptr},   {"mapped", nullptr},
                     {"reason", nullptr},    {"software", nullptr}, {"detail", nullptr},
                     {"icmp", nullptr}};
    if (!transport.result) {
        out["reason"] = "not-awaited";
        return out;
    }
    const net::BindingResult& result = *transport.result;
    out["server"] = result.server.to_string();
    out["reachable"] = reachable(result.outcome);
    out["reason"] = reason(result);
    out["icmp"] = icmp_json(result);
    out["mapped"] = text_or_null(result.mapped());
    if (result.rtt) {
        out["rtt_ms"] = std::chrono::duration_cast<Milliseconds>(*result.rtt).count();
    }
    if (!result.detail.empty()) out["detail"] = printable(result.detail);
    if (result.response && result.response->software) {
        out["software"] = printable(*result.response->software);
    }
    if (result.certificate) {
        out["certificate"] =
            json::object{{"trusted", result.certificate->trusted}, {"problem", nullptr}};
        if (!result.certificate->trusted) {
            out["certificate"].get_object()["problem"] = printable(result.certificate->problem);
        }
    }
    return out;
}

json::value udp_json(const TransportReport& udp) {
    json::value out = transport_json(udp);
    if (!udp.result) return out;
    json::object& object = out.get_object();
    object["sent"] = udp.result->sent;
    object["ignored"] = json::object{{"malformed", udp.result->malformed},
                                     {"wrong_transaction", udp.result->wrong_transaction},
                                     {"wrong_source", udp.result->wrong_source}};
    object["answered_from"] = text_or_null(udp.result->answered_from);
    return out;
}

json::value family_reason(const FamilyReport& family) {
    if (family.lookup_error) {
        return json::value("dns-" + std::string(net::to_string(*family.lookup_error)));
    }
    if (family.addresses.empty()) return json::value("not-awaited");
    if (family.no_route) return json::value("no-route");
    return nullptr;
}

json::object family_json(const FamilyReport& family, bool literal) {
    json::array addresses;
    for (const IpAddress& address : family.addresses) {
        addresses.push_back(json::value(address.to_string()));
    }
    json::object out{{"reason", family_reason(family)},
                     {"addresses", std::move(addresses)},
                     {"udp", udp_json(family.udp)},
                     {"tcp", transport_json(family.tcp)},
                     {"tls", transport_json(family.tls)}};
    // Nothing was looked up, so nothing went wrong with it.
    if (literal && family.lookup_error) out["reason"] = "other-family";
    return out;
}

}  // namespace

json::object to_json(const ServersReport& report) {
    json::array servers;
    for (const ServerReport& server : report.servers) {
        if (server.name.host.empty()) {
            servers.push_back(json::object{{"server", server.name.text},
                                           {"reason", "invalid"},
                                           {"ipv4", nullptr},
                                           {"ipv6", nullptr}});
            continue;
        }
        const bool literal = server.name.is_literal();
        servers.push_back(json::object{{"server", server.name.text},
                                       {"reason", nullptr},
                                       {"ipv4", family_json(server.ipv4, literal)},
                                       {"ipv6", family_json(server.ipv6, literal)}});
    }
    const auto known = [](const std::optional<bool>& route) {
        return route ? json::value(*route) : json::value(nullptr);
    };
    return {{"servers", std::move(servers)},
            {"servers_left_out", report.left_out},
            {"internet_route", json::object{{"ipv4", known(report.internet_v4)},
                                            {"ipv6", known(report.internet_v6)}}}};
}

}  // namespace p2pdiag::stun_plugin
