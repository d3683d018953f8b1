#include "net/portmap/exchange.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace p2pdiag::net::portmap {

namespace {

// RFC 6886 section 3.3: "The RECOMMENDED Port Mapping Lifetime is 7200 seconds". Neither protocol
// has permanent mappings, which is what a lifetime of 0 asks for: there, it removes.
constexpr Seconds recommended_lifetime{7200};

std::uint32_t lifetime_of(const Question& question) {
    if (question.kind == Question::Kind::unmap) return 0;
    Seconds lifetime = question.request.lifetime;
    if (lifetime.count() <= 0) lifetime = recommended_lifetime;
    constexpr Seconds longest{std::numeric_limits<std::uint32_t>::max()};
    return static_cast<std::uint32_t>(std::min(lifetime, longest).count());
}

Bytes natpmp_request(const Question& question) {
    natpmp::Request request;
    if (question.kind == Question::Kind::status) return natpmp::encode(request);
    request.opcode = natpmp::map_opcode(question.request.transport);
    request.internal_port = question.request.internal_port;
    request.lifetime = lifetime_of(question);
    // RFC 6886 section 3.4, of a removal: "The Suggested External Port MUST be set to zero by the
    // client on sending".
    if (request.lifetime != 0) request.external_port = question.request.external_port;
    return natpmp::encode(request);
}

Bytes pcp_request(const Question& question) {
    pcp::Request request;
    request.client_address = question.service.local;
    if (question.kind == Question::Kind::status) return pcp::encode(request);
    const MapRequest& asked = question.request;
    request.opcode = pcp::Opcode::map;
    request.lifetime = lifetime_of(question);
    // RFC 6887 section 11.1: the suggested external address of a client that does not care is the
    // all-zeros address of the family.
    const IpAddress any = question.service.local.is_v4() ? IpAddress() : IpAddress::v6({});
    request.map = pcp::MapData{asked.nonce, pcp::protocol_number(asked.transport),
                               asked.internal_port, asked.external_port, any};
    if (question.kind == Question::Kind::unmap) request.map->external_port = 0;
    // RFC 6887 section 13.2: there has to be a suggestion that can fail.
    request.prefer_failure = asked.exact && request.map->external_port != 0;
    return pcp::encode(request);
}

Problem problem_of(natpmp::ResultCode result) {
    switch (result) {
        case natpmp::ResultCode::unsupported_version:
        case natpmp::ResultCode::unsupported_opcode: return Problem::unsupported;
        case natpmp::ResultCode::not_authorized: return Problem::refused;
        case natpmp::ResultCode::network_failure: return Problem::no_external_address;
        case natpmp::ResultCode::out_of_resources: return Problem::full;
        case natpmp::ResultCode::success: break;
    }
    return Problem::failed;
}

Problem problem_of(pcp::ResultCode result) {
    switch (result) {
        case pcp::ResultCode::unsupp_version:
        case pcp::ResultCode::unsupp_opcode:
        case pcp::ResultCode::unsupp_option:
        case pcp::ResultCode::unsupp_protocol: return Problem::unsupported;
        case pcp::ResultCode::not_authorized: return Problem::refused;
        case pcp::ResultCode::network_failure: return Problem::no_external_address;
        case pcp::ResultCode::no_resources:
        case pcp::ResultCode::user_ex_quota:
        case pcp::ResultCode::excessive_remote_peers: return Problem::full;
        case pcp::ResultCode::cannot_provide_external: return Problem::port_not_available;
        case pcp::ResultCode::address_mismatch: return Problem::address_mismatch;
        case pcp::ResultCode::success:
        case pcp::ResultCode::malformed_request:
        case pcp::ResultCode::malformed_option: break;
    }
    return Problem::failed;
}

std::string other_version(std::uint8_t version) {
    if (version == natpmp::version) return "the router speaks NAT-PMP and no PCP";
    const std::string number = std::to_string(version);
    return "the router speaks no version of PCP but " + number;
}

}  // namespace

Exchange::Exchange(Question question) : question_(std::move(question)) {
    if (auto failure = objection()) verdict_ = std::move(*failure);
}

std::optional<Failure> Exchange::objection() const {
    const Service& service = question_.service;
    if (service.protocol == Protocol::upnp) {
        return Failure{Problem::unsupported, 0, "UPnP is not asked on port 5351", {}};
    }
    if (!is_pcp() && !service.router.is_v4()) {
        return Failure{Problem::unsupported, 0, "NAT-PMP knows no IPv6", {}};
    }
    if (service.router.family() != service.local.family()) {
        return Failure{Problem::no_route, 0, "no local address of the router's family", {}};
    }
    // RFC 6886 section 3.4 and RFC 6887 section 11.1: port 0 is every port of this machine.
    if (question_.kind != Question::Kind::status && question_.request.internal_port == 0) {
        return Failure{Problem::failed, 0, "port 0 cannot be mapped", {}};
    }
    return std::nullopt;
}

Endpoint Exchange::server() const { return {question_.service.router, pcp::server_port}; }

Bytes Exchange::request() const {
    return is_pcp() ? pcp_request(question_) : natpmp_request(question_);
}

void Exchange::fail(Problem problem, int code, std::string text) {
    verdict_ = Failure{problem, code, std::move(text), {}};
}

void Exchange::ignore(std::string complaint) {
    ++ignored_;
    complaint_ = std::move(complaint);
}

void Exchange::on_absent(std::string text) {
    if (!done()) fail(Problem::absent, 0, std::move(text));
}

void Exchange::on_no_route(std::string text) {
    if (!done()) fail(Problem::no_route, 0, std::move(text));
}

void Exchange::on_kept_here(std::string text) {
    if (!done()) fail(Problem::kept_here, 0, std::move(text));
}

void Exchange::on_datagram(const Endpoint& from, ByteView datagram) {
    if (done()) return;
    // RFC 6886 section 3.1 and RFC 6887 section 8.3: what does not come from the address and port
    // that was asked is dropped silently.
    if (from != server()) {
        ++ignored_;
        return;
    }
    if (is_pcp()) {
        const auto response = pcp::parse_response(datagram);
        if (!response) return ignore(response.error().message());
        on_pcp(*response);
    } else {
        const auto response = natpmp::parse_response(datagram);
        if (!response) return ignore(response.error().message());
        on_natpmp(*response);
    }
}

void Exchange::on_natpmp(const natpmp::Response& response) {
    const bool mapping = question_.kind != Question::Kind::status;
    if (response.version != natpmp::version) {
        const std::string number = std::to_string(response.version);
        return fail(Problem::unsupported, static_cast<int>(response.result),
                    "the router speaks PCP version " + number + " and no NAT-PMP");
    }
    const natpmp::Opcode asked = mapping ? natpmp::map_opcode(question_.request.transport)
                                         : natpmp::Opcode::external_address;
    if (response.opcode != asked) return ignore("an answer to another question");
    if (mapping && response.has_payload &&
        response.internal_port != question_.request.internal_port) {
        return ignore("an answer for internal port " + std::to_string(response.internal_port) +
                      " where " + std::to_string(question_.request.internal_port) + " was asked");
    }
    if (response.result != natpmp::ResultCode::success) {
        const int code = static_cast<int>(response.result);
        return fail(problem_of(response.result), code,
                    "NAT-PMP result " + std::to_string(code) + ", " +
                        std::string(to_string(response.result)));
    }
    Answer answer;
    answer.epoch = response.epoch;
    if (mapping) return finish_map(answer, response.external_port, response.lifetime);
    // 0.0.0.0 as well: it says that the router has none.
    answer.external_address = response.external_address;
    verdict_ = answer;
}

void Exchange::on_pcp(const pcp::Response& response) {
    const bool mapping = question_.kind != Question::Kind::status;
    if (response.version != pcp::version) {
        return fail(Problem::unsupported, static_cast<int>(response.result),
                    other_version(response.version));
    }
    const pcp::Opcode asked = mapping ? pcp::Opcode::map : pcp::Opcode::announce;
    if (response.opcode != asked) return ignore("an answer to another question");
    if (mapping && !is_ours(response)) return;

    Answer answer;
    answer.epoch = response.epoch;
    // A server that does not know ANNOUNCE is one all the same.
    const bool no_announce = !mapping && response.result == pcp::ResultCode::unsupp_opcode;
    if (response.result != pcp::ResultCode::success && !no_announce && !is_removed(response)) {
        const int code = static_cast<int>(response.result);
        std::string text =
            "PCP result " + std::to_string(code) + ", " + std::string(to_string(response.result));
        if (is_kept_from_us(response)) text += "; it takes it for somebody else's";
        verdict_ =
            Failure{problem_of(response.result), code, std::move(text), Seconds(response.lifetime)};
        return;
    }
    if (!mapping || response.result != pcp::ResultCode::success) {
        verdict_ = answer;
        return;
    }
    const IpAddress& external = response.map->external_address;
    if (external.scope() != AddressScope::unspecified) {
        answer.external_address = external;
    } else if (question_.service.local.is_v4()) {
        // Whichever zeros it writes: it has none. That of a pinhole is the host's own.
        answer.external_address = IpAddress();
    }
    finish_map(answer, response.map->external_port, response.lifetime);
}

// RFC 6887 section 11.4: a response belongs to a request when protocol, internal port and nonce
// are the same. Section 8.2: an error carries them as well, but for what could not be read.
bool Exchange::is_ours(const pcp::Response& response) {
    if (!response.map) return true;
    const MapRequest& asked = question_.request;
    if (response.map->nonce != asked.nonce) {
        ignore("an answer with another nonce than the one sent");
        return false;
    }
    if (response.map->protocol != pcp::protocol_number(asked.transport) ||
        response.map->internal_port != asked.internal_port) {
        ignore("an answer for protocol " + std::to_string(response.map->protocol) + ", port " +
               std::to_string(response.map->internal_port) + ", which was not asked");
        return false;
    }
    return true;
}

// miniupnpd answers NO_RESOURCES to the removal of what is not there.
bool Exchange::is_removed(const pcp::Response& response) const {
    return question_.kind == Question::Kind::unmap &&
           response.result == pcp::ResultCode::no_resources;
}

// RFC 6887 section 15.1: NOT_AUTHORIZED, when what is there was made with another nonce. That is no
// proof that ours is gone: miniupnpd 2.3.1 forgets the nonce of an IPv6 pinhole that is renewed
// (nftables), and goes on letting everybody in.
bool Exchange::is_kept_from_us(const pcp::Response& response) const {
    return question_.kind == Question::Kind::unmap &&
           response.result == pcp::ResultCode::not_authorized;
}

void Exchange::finish_map(Answer answer, std::uint16_t external_port, std::uint32_t lifetime) {
    if (question_.kind == Question::Kind::unmap) {
        if (lifetime == 0) {
            verdict_ = answer;
            return;
        }
        return fail(Problem::failed, 0,
                    "asked to remove the mapping, the router keeps it for " +
                        std::to_string(lifetime) + " s");
    }
    if (external_port == 0 || lifetime == 0) {
        return fail(Problem::malformed, 0,
                    "the router reports success for external port " +
                        std::to_string(external_port) + " and " + std::to_string(lifetime) +
                        " s, which is no mapping");
    }
    answer.grant.internal_port = question_.request.internal_port;
    answer.grant.external_port = external_port;
    answer.grant.external_address = answer.external_address;
    answer.grant.lifetime = Seconds(lifetime);
    answer.grant.epoch = answer.epoch;
    verdict_ = answer;
}

Outcome<Exchange::Answer> Exchange::verdict() const {
    if (verdict_) return *verdict_;
    if (!complaint_.empty()) return Failure{Problem::malformed, 0, complaint_, {}};
    std::string text = "no answer in time";
    if (ignored_ > 0) text += "; " + std::to_string(ignored_) + " datagrams came from elsewhere";
    return Failure{Problem::no_answer, 0, std::move(text), {}};
}

}  // namespace p2pdiag::net::portmap
