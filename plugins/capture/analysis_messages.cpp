// What each kind of message means for the analysis: its key, and what it tells of its sender.
#include <algorithm>

#include "analysis.hpp"
#include "wire/upnp/soap.hpp"

namespace p2pdiag::capture_plugin {

namespace {

// Begins with the protocol, so that two of them never share a key.
std::string key_of(char protocol, ByteView bytes) {
    return std::string(1, protocol) + std::string(as_text(bytes));
}

// The port control protocols name the inner port; whoever asked has the inner address.
std::string client_key(char protocol, const Endpoint& client, unsigned detail) {
    return std::string(1, protocol) + client.to_string() + '/' + std::to_string(detail);
}

std::string dns_key(const dns::Message& message, const Endpoint& client) {
    return client_key('q', client, message.id);
}

// RFC 6762 section 5: to 5353, of a group mostly; its answers come from there. A resolver may use
// 5353 as its own port like any other, and then it is the server's that counts.
bool is_multicast_dns(const capture::Segment& segment) {
    const bool of_server = segment.from.port == dns::port || segment.to.port == dns::port;
    return !of_server || (segment.to_group && segment.to.port == dns::multicast_port);
}

// In small letters: names are compared without regard to case (RFC 1035 section 2.3.3), and some
// resolvers mix it.
std::string question_of(const dns::Message& message) {
    if (message.questions.empty()) return {};
    const dns::Question& first = message.questions.front();
    std::string question = dns::to_string(first.type) + ' ' + first.name;
    for (char& c : question) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return question;
}

// What a request is found by; empty for anything else.
std::string request_key(const capture::StunContent& content, const Endpoint&) {
    ByteWriter id;
    id.u32(content.message.cookie);
    id.append(content.message.transaction);
    return key_of('s', id.view());
}
std::string request_key(const natpmp::Request& content, const Endpoint& from) {
    const unsigned detail = static_cast<unsigned>(content.opcode) << 16 | content.internal_port;
    return client_key('n', from, detail);
}
std::string request_key(const pcp::Request& content, const Endpoint& from) {
    if (content.map) return key_of('p', content.map->nonce);
    return client_key('p', from, static_cast<unsigned>(content.opcode));
}
std::string request_key(const ssdp::Search& content, const Endpoint& from) {
    return "d" + from.to_string() + content.target;
}
std::string request_key(const dns::Message& content, const Endpoint& from) {
    if (content.response) return {};
    return dns_key(content, from);
}
std::string request_key(const capture::PeerContent& content, const Endpoint&) {
    return peer_key(content);
}
template <class Other>
std::string request_key(const Other&, const Endpoint&) {
    return {};
}

Attempt session_of(const stun::Message& message) {
    if (!is_ice(message)) return no_attempt;
    const Attempt session = std::hash<std::string>()(*message.username);
    return session == no_attempt ? no_attempt + 1 : session;
}

}  // namespace

void Analysis::take(const capture::StunContent& content) {
    current_.flow->stun = true;
    note_stun(content);
    const stun::Message& message = content.message;
    const std::string key = request_key(content, current_.segment->from);
    RequestTraits traits;
    traits.asks_for_another_source =
        message.change_request && (message.change_request->address || message.change_request->port);
    traits.asks_for_another_target = message.response_port.has_value();
    traits.attempt = session_of(message);
    switch (message.message_class) {
        case stun::Class::request: request(key, describe(content), traits); break;
        case stun::Class::success:
            answer(key, describe(content), {{}, message.reflexive_address()});
            break;
        case stun::Class::error: answer(key, describe(content)); break;
        case stun::Class::indication: notice(describe(content)); break;
    }
}

void Analysis::note_stun(const capture::StunContent& content) {
    const stun::Message& message = content.message;
    const capture::Segment& segment = *current_.segment;
    HostStats& sender = hosts_.at(segment.from.address);
    if (turn::is_turn(message.method)) current_.flow->turn = true;
    if (is_ice(message)) {
        sender.ice = true;
        hosts_.at(segment.to.address).ice = true;
    }
    // Whether it agrees or not: nobody else is asked such things.
    const bool asks = message.message_class == stun::Class::request;
    if (asks && turn::is_turn(message.method)) hosts_.at(segment.to.address).turn_server = true;
    if (message.message_class != stun::Class::success) return;
    if (message.method == turn::allocate) {
        sender.turn_server = true;
        if (content.turn.relayed) hosts_.at(content.turn.relayed->address).relay = true;
    } else if (message.method == stun::Method::binding && !message.has_integrity) {
        sender.stun_server = true;
    }
}

std::optional<Sequence> Analysis::quoted_request(const capture::IcmpError& error) {
    if (error.carrier != capture::Carrier::udp) return std::nullopt;
    capture::Segment quoted;
    quoted.carrier = error.carrier;
    quoted.from = error.from;
    quoted.to = error.to;
    quoted.payload = error.payload;
    quoted.cut = error.cut;
    const capture::Content content = capture::decode(quoted, {current_.flow->stun, false});
    const std::string key = std::visit(
        [&quoted](const auto& value) { return request_key(value, quoted.from); }, content);
    const Leg* leg = key.empty() ? nullptr : find_leg(key, quoted.from, quoted.to);
    if (leg == nullptr) return std::nullopt;
    return leg->request;
}

void Analysis::take(const turn::ChannelData& content) {
    take_uncounted(describe(content), content.data.size());
}

void Analysis::take_uncounted(Described described, std::size_t size) {
    Flow& flow = *current_.flow;
    const std::size_t side = current_.side;
    flow.undecoded_bytes[side] += size;
    if (++flow.undecoded[side] > 1) return;
    flow.data_message[side] = add_message(std::move(described));
}

void Analysis::take(const natpmp::Request& content) {
    asked_router(Protocol::natpmp,
                 request(request_key(content, current_.segment->from), describe(content), {}));
}

void Analysis::asked_router(Protocol protocol, Sequence request) {
    if (port_control_.size() == Transactions::capacity) port_control_.clear();
    port_control_[{protocol, current_.segment->from, current_.segment->to}] = request;
}

// RFC 6886 section 3.5, RFC 6887 section 9: a router that has the other protocol alone says so in
// that one, with nothing of the request in it.
void Analysis::version_refused(Protocol asked, Described described) {
    const auto found = port_control_.find({asked, current_.segment->to, current_.segment->from});
    if (found == port_control_.end()) return notice(std::move(described));
    const Sequence said = add_message(std::move(described));
    settle(found->second, said, Fate::answered);
    note_verdict(found->second, said);
    port_control_.erase(found);
}

void Analysis::take(const natpmp::Response& content) {
    const capture::Segment& segment = *current_.segment;
    hosts_.at(segment.from.address).router = true;
    if (content.result == natpmp::ResultCode::unsupported_version) {
        return version_refused(Protocol::pcp, describe(content));
    }
    // RFC 6886 section 3.2.1: what goes to the group was not asked for.
    if (segment.to.address.scope() == AddressScope::multicast) return notice(describe(content));
    const unsigned detail = static_cast<unsigned>(content.opcode) << 16 | content.internal_port;
    answer(client_key('n', segment.to, detail), describe(content));
    const bool mapped = content.opcode != natpmp::Opcode::external_address && content.has_payload &&
                        content.result == natpmp::ResultCode::success && content.lifetime > 0;
    if (!mapped) return;
    const Transport transport =
        content.opcode == natpmp::Opcode::map_udp ? Transport::udp : Transport::tcp;
    evidence_.note(Grant{Protocol::natpmp, transport,
                         Endpoint{segment.to.address, content.internal_port}, content.external_port,
                         segment.from.address, current_.now_ns, current_.number});
}

void Analysis::take(const pcp::Request& content) {
    asked_router(Protocol::pcp,
                 request(request_key(content, current_.segment->from), describe(content), {}));
}

void Analysis::take(const pcp::Response& content) {
    const capture::Segment& segment = *current_.segment;
    hosts_.at(segment.from.address).router = true;
    if (content.result == pcp::ResultCode::unsupp_version) {
        return version_refused(Protocol::natpmp, describe(content));
    }
    if (segment.to.address.scope() == AddressScope::multicast) return notice(describe(content));
    const std::string key =
        content.map ? key_of('p', content.map->nonce)
                    : client_key('p', segment.to, static_cast<unsigned>(content.opcode));
    answer(key, describe(content));
    const bool mapped =
        content.map && content.result == pcp::ResultCode::success && content.lifetime > 0;
    if (!mapped) return;
    const bool udp = content.map->protocol == pcp::protocol_number(Transport::udp);
    const bool tcp = content.map->protocol == pcp::protocol_number(Transport::tcp);
    if (!udp && !tcp) return;
    evidence_.note(Grant{Protocol::pcp, udp ? Transport::udp : Transport::tcp,
                         Endpoint{segment.to.address, content.map->internal_port},
                         content.map->external_port, segment.from.address, current_.now_ns,
                         current_.number});
}

void Analysis::take(const ssdp::Search& content) {
    RequestTraits traits;
    traits.many_answers = true;
    request(request_key(content, current_.segment->from), describe(content), traits);
}

void Analysis::take(const ssdp::Announcement& content) {
    if (content.kind != ssdp::Kind::answer) return notice(describe(content));
    if (content.target.find("InternetGatewayDevice") != std::string::npos) {
        hosts_.at(current_.segment->from.address).router = true;
    }
    const std::string client = "d" + current_.segment->to.to_string();
    // Who searches for everything is answered with what there is.
    const std::string all = client + "ssdp:all";
    const bool for_all = transactions_.find(all) != nullptr;
    answer(for_all ? all : client + content.target, describe(content));
}

void Analysis::take(const dns::Message& content) {
    const capture::Segment& segment = *current_.segment;
    Described described = describe(content);
    if (is_multicast_dns(segment)) {
        described.protocol = Protocol::mdns;
        described.kind = Kind::notice;
        described.refusal.reset();
        return notice(std::move(described));
    }
    if (content.response) {
        hosts_.at(segment.from.address).dns_server = true;
        answer(dns_key(content, segment.to), std::move(described), {question_of(content), {}});
    } else {
        RequestTraits traits;
        traits.question = question_of(content);
        request(dns_key(content, segment.from), std::move(described), std::move(traits));
    }
}

void Analysis::take(const capture::DtlsContent& content) {
    constexpr std::uint8_t handshake = 22;
    Flow& flow = *current_.flow;
    if (++flow.undecoded[current_.side] == 1 && content.content_type == handshake) {
        notice(describe(content));
    }
}

void Analysis::take(const capture::Malformed& content) { notice(describe(content)); }

void Analysis::take_stream(const capture::StreamContent& content) {
    if (const auto* stun = std::get_if<capture::StunContent>(&content)) return take(*stun);
    if (const auto* peer = std::get_if<capture::PeerContent>(&content)) return take(*peer);
    if (const auto* http = std::get_if<capture::HttpContent>(&content)) {
        take_stream_message(describe(*http));
        return note_soap(*http);
    }
    if (const auto* hello = std::get_if<tls::ClientHello>(&content)) {
        return take_stream_message(describe(*hello));
    }
    if (const auto* hello = std::get_if<tls::ServerHello>(&content)) {
        return take_stream_message(describe(*hello));
    }
    if (const auto* alert = std::get_if<capture::TlsAlert>(&content)) {
        take_stream_message(describe(*alert));
    }
}

// A connection carries one question at a time: the order pairs them.
void Analysis::take_stream_message(Described described) {
    const Kind kind = described.kind;
    const Sequence sequence = add_message(std::move(described));
    Flow& flow = *current_.flow;
    if (kind == Kind::request) {
        flow.request[current_.side] = sequence;
    } else if (kind == Kind::answer || kind == Kind::error) {
        const Sequence asked = flow.request[1 - current_.side];
        pair_in_flow(sequence, Fate::answered);
        note_verdict(asked, sequence);
    }
}

void Analysis::note_soap(const capture::HttpContent& content) {
    const capture::Segment& segment = *current_.segment;
    Flow& flow = *current_.flow;
    if (!content.head.response) {
        const auto call = upnp::parse_call(content.body);
        if (!call || call->action.find("PortMapping") == std::string::npos) return;
        hosts_.at(segment.to.address).router = true;
        if (call->action != "AddPortMapping" && call->action != "AddAnyPortMapping") return;
        const auto value = [&call](std::string_view name) {
            for (const upnp::Argument& argument : call->arguments) {
                if (argument.name == name) return argument.value;
            }
            return std::string();
        };
        const auto internal =
            Endpoint::parse(value("NewInternalClient") + ':' + value("NewInternalPort"));
        const bool tcp = value("NewProtocol") == "TCP";
        if (!internal) return;
        if (evidence_.asked_mapping.size() >= Evidence::max_each) evidence_.asked_mapping.clear();
        const auto external = Endpoint::parse("0.0.0.0:" + value("NewExternalPort"));
        evidence_.asked_mapping[flow.key.ports] =
            Grant{Protocol::soap,     tcp ? Transport::tcp : Transport::udp,
                  *internal,          external ? external->port : std::uint16_t{0},
                  segment.to.address, current_.now_ns,
                  current_.number};
        return;
    }
    const auto asked = evidence_.asked_mapping.find(flow.key.ports);
    if (asked == evidence_.asked_mapping.end()) return;
    if (content.head.status == 200) {
        asked->second.time_ns = current_.now_ns;
        evidence_.note(asked->second);
    }
    evidence_.asked_mapping.erase(asked);
}

}  // namespace p2pdiag::capture_plugin
