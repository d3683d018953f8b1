#include "offers.hpp"

#include <algorithm>
#include <tuple>

#include "outside.hpp"

namespace p2pdiag::upnp_plugin {

using portmap::GatewayReport;
using portmap::IgdReport;
using portmap::Problem;
using portmap::Protocol;

namespace {

std::string name_of(const IgdReport& igd) {
    std::string name;
    if (igd.description) {
        const auto& about = **igd.description;
        // Many repeat the maker in the model.
        if (!about.model_name.starts_with(about.manufacturer)) name = about.manufacturer;
        if (!about.model_name.empty()) name += (name.empty() ? "" : " ") + about.model_name;
        if (name.empty()) name = about.friendly_name;
    }
    const std::string address = igd.answer.from.to_string();
    return name.empty() ? address : address + " (" + name + ")";
}

class Collector {
public:
    Collector(const portmap::Discovered& found, const std::optional<IpAddress>& ipv6)
        : found_(found), ipv6_(ipv6) {}

    std::vector<Offer> run() {
        for (const IgdReport& igd : found_.igds) add_igd(igd);
        for (const GatewayReport& gateway : found_.gateways) {
            add_control(gateway, Protocol::pcp, gateway.pcp);
            if (gateway.address.is_v4()) add_control(gateway, Protocol::natpmp, gateway.natpmp);
        }
        complete_external();
        spread_refusals();
        const auto key = [](const Offer& offer) {
            return std::tuple(!offer.preferred, rank(offer.service.protocol));
        };
        std::stable_sort(offers_.begin(), offers_.end(),
                         [&](const Offer& a, const Offer& b) { return key(a) < key(b); });
        leave_out_repetitions();
        return std::move(offers_);
    }

private:
    // A router that was found over both families maps the same ports by either. Who is on the way
    // is not for the device to say, so the one that is goes before whoever calls itself the same.
    void leave_out_repetitions() {
        std::vector<Offer> kept;
        for (Offer& offer : offers_) {
            const bool again = std::any_of(kept.begin(), kept.end(), [&](const Offer& other) {
                return !offer.pinhole && !other.pinhole && !offer.udn.empty() &&
                       offer.udn == other.udn && other.preferred &&
                       offer.service.router.family() != other.service.router.family();
            });
            if (!again) kept.push_back(std::move(offer));
        }
        offers_ = std::move(kept);
    }

    static int rank(Protocol protocol) {
        switch (protocol) {
            case Protocol::upnp: return 0;
            case Protocol::pcp: return 1;
            case Protocol::natpmp: break;
        }
        return 2;
    }

    std::string interface_name(int index) const {
        for (const GatewayReport& gateway : found_.gateways) {
            if (gateway.interface == index) return gateway.interface_name;
        }
        return {};
    }

    void add_igd(const IgdReport& igd) {
        if (!igd.description || !*igd.description) return;
        const portmap::IgdDescription& about = **igd.description;
        if (about.mapping && about.mapping->local.is_v4()) add_igd_mapping(igd, about);
        if (about.firewall && ipv6_ && !about.firewall->router.is_v4()) {
            add_igd_pinhole(igd, about);
        }
    }

    Offer from_igd(const IgdReport& igd, const portmap::Service& service) const {
        Offer offer;
        offer.service = service;
        offer.interface_name = interface_name(service.interface);
        offer.preferred = igd.preferred;
        offer.router_name = name_of(igd);
        offer.udn = (*igd.description)->udn;
        offer.presentation_url = (*igd.description)->presentation_url;
        return offer;
    }

    void add_igd_mapping(const IgdReport& igd, const portmap::IgdDescription& about) {
        Offer offer = from_igd(igd, *about.mapping);
        if (igd.status && *igd.status) offer.external = (**igd.status).external;
        offer.ready = igd.usable();
        if (!offer.ready) offer.why_not = why_not_usable(igd);
        if (igd.status && !*igd.status) offer.problem = igd.status->error().problem;
        if (igd.status && *igd.status && names_none(**igd.status)) {
            offer.problem = Problem::no_external_address;
        }
        offer.undecided = !igd.status || (offer.problem && !says_no(*offer.problem));
        const bool known = std::any_of(offers_.begin(), offers_.end(), [&](const Offer& other) {
            return other.service.protocol == Protocol::upnp && !other.pinhole &&
                   other.service.control_url == offer.service.control_url;
        });
        if (!known) offers_.push_back(std::move(offer));
    }

    static void refuse(Offer& offer, const portmap::Failure& failure) {
        offer.ready = false;
        offer.undecided = !says_no(failure.problem);
        offer.why_not = words(failure);
        offer.problem = failure.problem;
    }

    static bool is_connected(const portmap::IgdStatus& status) {
        return status.connection.empty() || status.connection == "Connected";
    }
    static bool names_none(const portmap::IgdStatus& status) {
        return is_connected(status) && status.external_text.empty();
    }

    static std::string why_not_usable(const IgdReport& igd) {
        if (!igd.status) return "it did not say in time whether it is connected";
        if (!*igd.status) return words(igd.status->error());
        const portmap::IgdStatus& status = **igd.status;
        if (!is_connected(status)) {
            return "it says that its outside connection is \"" + status.connection + "\"";
        }
        if (status.external_text.empty()) return "it names no outside address";
        return "its outside address is \"" + status.external_text + "\"";
    }

    void add_igd_pinhole(const IgdReport& igd, const portmap::IgdDescription& about) {
        Offer offer = from_igd(igd, *about.firewall);
        offer.pinhole = true;
        offer.service.local = *ipv6_;
        offer.external = ipv6_;
        if (!igd.firewall) {
            offer.ready = false;
            offer.undecided = true;
            offer.why_not = "it did not say in time whether it opens pinholes";
        } else if (!*igd.firewall) {
            refuse(offer, igd.firewall->error());
        } else if (!(**igd.firewall).inbound_allowed) {
            offer.ready = false;
            offer.why_not = "it does not let programs open its IPv6 firewall";
        }
        const bool known = std::any_of(offers_.begin(), offers_.end(), [&](const Offer& other) {
            return other.pinhole && other.service.control_url == offer.service.control_url;
        });
        if (!known) offers_.push_back(std::move(offer));
    }

    void add_control(const GatewayReport& gateway, Protocol protocol,
                     const std::optional<portmap::Outcome<portmap::PortControlStatus>>& outcome) {
        if (!outcome) return;
        Offer offer;
        offer.pinhole = !gateway.address.is_v4();
        if (offer.pinhole && !ipv6_) return;
        offer.service.protocol = protocol;
        offer.service.router = gateway.address;
        offer.service.interface = gateway.interface;
        offer.service.local = offer.pinhole ? *ipv6_ : gateway.local;
        offer.interface_name = gateway.interface_name;
        offer.preferred = gateway.preferred;
        offer.router_name = gateway.address.to_string();
        if (offer.pinhole) offer.external = ipv6_;
        if (!*outcome) {
            if (!is_answer(outcome->error().problem)) return;
            // A router that knows NAT-PMP alone says so when it is asked by PCP: that is no offer.
            if (outcome->error().problem == Problem::unsupported) return;
            refuse(offer, outcome->error());
        } else if (protocol == Protocol::natpmp) {
            offer.external = (**outcome).external_address;
            if (judge_outside(offer.external, {}) == Outside::unusable) {
                offer.ready = false;
                offer.why_not = "its outside address is " + offer.external->to_string();
            }
        }
        offers_.push_back(std::move(offer));
    }

    // PCP tells the outside address only with a mapping, and neither it nor NAT-PMP names itself.
    void complete_external() {
        for (Offer& offer : offers_) {
            if (offer.pinhole) continue;
            for (const Offer& other : offers_) {
                if (other.pinhole || !same_router(offer.service, other.service)) continue;
                if (!offer.external) offer.external = other.external;
                if (other.service.protocol != Protocol::upnp) continue;
                if (offer.service.protocol != Protocol::upnp) {
                    offer.router_name = other.router_name;
                    offer.presentation_url = other.presentation_url;
                    offer.service.udn = other.service.udn;
                }
            }
        }
    }

    // What holds for the router, and not for one of its protocols alone.
    static bool refuses_for_all(const Offer& offer) {
        if (offer.ready || offer.undecided) return false;
        return !offer.problem || offer.problem == Problem::no_external_address ||
               offer.problem == Problem::refused;
    }

    // PCP answers whether or not it has an address to map to; the router's other protocols tell.
    void spread_refusals() {
        for (Offer& offer : offers_) {
            if (offer.pinhole || !offer.ready || offer.external) continue;
            for (const Offer& other : offers_) {
                const bool same = same_router(offer.service, other.service) && !other.pinhole;
                if (!same || !refuses_for_all(other)) continue;
                offer.ready = false;
                offer.why_not = "by " + std::string(display_name(other.service.protocol)) +
                                " the same router says: " + other.why_not;
                offer.problem = other.problem;
                break;
            }
        }
    }

    const portmap::Discovered& found_;
    std::optional<IpAddress> ipv6_;
    std::vector<Offer> offers_;
};

}  // namespace

std::vector<Offer> offers(const portmap::Discovered& found, const std::optional<IpAddress>& ipv6) {
    return Collector(found, ipv6).run();
}

const Offer* leading(const std::vector<Offer>& all) {
    for (const bool want_address : {true, false}) {
        for (const Offer& offer : all) {
            if (!offer.pinhole && (!want_address || offer.external)) return &offer;
        }
    }
    return nullptr;
}

bool same_router(const portmap::Service& a, const portmap::Service& b) {
    return a.router == b.router && a.interface == b.interface;
}

std::string_view display_name(Protocol protocol) {
    switch (protocol) {
        case Protocol::upnp: return "UPnP";
        case Protocol::natpmp: return "NAT-PMP";
        case Protocol::pcp: break;
    }
    return "PCP";
}

std::string_view code_of(Protocol protocol) {
    switch (protocol) {
        case Protocol::upnp: return "portmap.upnp";
        case Protocol::natpmp: return "portmap.natpmp";
        case Protocol::pcp: break;
    }
    return "portmap.pcp";
}

bool is_answer(Problem problem) {
    return problem != Problem::absent && problem != Problem::no_answer &&
           problem != Problem::no_route && problem != Problem::kept_here;
}

bool says_no(Problem problem) {
    return is_answer(problem) && problem != Problem::malformed && problem != Problem::too_large;
}

bool is_repetition(const IgdReport& igd, const portmap::Discovered& found) {
    const bool refused = igd.description && !*igd.description &&
                         igd.description->error().problem == Problem::foreign_url;
    return refused && std::any_of(found.igds.begin(), found.igds.end(), [&](const auto& other) {
               return other.description && *other.description &&
                      other.answer.location == igd.answer.location &&
                      other.answer.interface == igd.answer.interface;
           });
}

std::optional<std::string> unread_router(const portmap::Discovered& found) {
    for (const IgdReport& igd : found.igds) {
        const bool read = igd.description && *igd.description;
        if (!igd.on_gateway || read || is_repetition(igd, found)) continue;
        return igd.answer.from.to_string() + ", " +
               (igd.description ? words(igd.description->error()) : "it did not come in time");
    }
    return std::nullopt;
}

std::string words(const portmap::Failure& failure) {
    std::string text(portmap::to_string(failure.problem));
    std::string more = failure.code == 0 ? "" : std::to_string(failure.code);
    if (!failure.text.empty()) more += (more.empty() ? "" : ": ") + failure.text;
    return more.empty() ? text : text + " (" + more + ")";
}

}  // namespace p2pdiag::upnp_plugin
