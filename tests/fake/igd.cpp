#include "fake/igd.hpp"

#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "fake/loopback.hpp"
#include "wire/ssdp/message.hpp"

namespace p2pdiag::testing {

namespace {

constexpr std::string_view igd = "urn:schemas-upnp-org:device:InternetGatewayDevice:";
constexpr std::string_view service_prefix = "urn:schemas-upnp-org:service:";

std::string element(const std::string& name, const std::string& content) {
    return "<" + name + ">" + content + "</" + name + ">";
}

std::string service(const std::string& type, const std::string& control) {
    return element("service", element("serviceType", std::string(service_prefix) + type) +
                                  element("serviceId", "urn:upnp-org:serviceId:1") +
                                  element("controlURL", control) + element("eventSubURL", "/evt"));
}

std::string device(const std::string& type, const std::string& content) {
    return element("device", element("deviceType", type) + content);
}

void send_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::string envelope(const std::string& body) {
    return "<?xml version=\"1.0\"?>\r\n<s:Envelope "
           "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>" +
           body + "</s:Body></s:Envelope>\r\n";
}

std::string fault_body(int code) {
    return envelope(
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring>"
        "<detail><UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>" +
        std::to_string(code) +
        "</errorCode><errorDescription>said by the router</errorDescription>"
        "</UPnPError></detail></s:Fault>");
}

std::string value(const upnp::Call& call, std::string_view name) {
    for (const upnp::Argument& argument : call.arguments) {
        if (argument.name == name) return argument.value;
    }
    return {};
}

std::uint32_t number(const upnp::Call& call, std::string_view name) {
    return static_cast<std::uint32_t>(std::strtoul(value(call, name).c_str(), nullptr, 10));
}

// One whole request; empty when the client went away.
// Of IPv4 alone.
std::string peer_of(int fd) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size);
    return IpAddress::v4(ntohl(peer.sin_addr.s_addr)).to_string();
}

std::string read_request(int fd) {
    std::string text;
    std::array<char, 4096> buffer;
    std::size_t wanted = std::string::npos;
    while (text.size() < wanted) {
        const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (size <= 0) return {};
        text.append(buffer.data(), static_cast<std::size_t>(size));
        const std::size_t end = text.find("\r\n\r\n");
        if (end == std::string::npos || wanted != std::string::npos) continue;
        const std::size_t length = text.find("Content-Length: ");
        const bool has_body = length < end;
        wanted = end + 4 + (has_body ? std::strtoul(text.c_str() + length + 16, nullptr, 10) : 0);
    }
    return text;
}

}  // namespace

FakeIgd::FakeIgd(FakeIgdOptions options)
    : options_(std::move(options)), stop_(make_pipe()), table_(options_.table) {
    for (int tries = 0; tries < 50; ++tries) {
        if (!listen()) continue;
        thread_ = std::thread([this] { serve(); });
        return;
    }
    throw std::runtime_error("no place for a router on loopback");
}

FakeIgd::~FakeIgd() {
    stop_.write.reset();
    thread_.join();
    for (std::thread& connection : connections_) connection.join();
}

bool FakeIgd::listen() {
    const IpAddress address = options_.address.value_or(any_loopback_address());
    listener_ = open_at(SOCK_STREAM, {address, 0});
    http_ = local_of(listener_);
    if (options_.description_http == HttpFault::closed) listener_.reset();
    if (!address.is_v4() && !options_.ipv6_search) return listener_.open();
    ssdp_ = open_at(SOCK_DGRAM, {address, ssdp::port});
    other_port_ = open_at(SOCK_DGRAM, {address, 0});
    if (options_.multicast) {
        const auto everyone = IpAddress::parse(ssdp::multicast_v4);
        group_ = open_at(SOCK_DGRAM, {*everyone, ssdp::port}, true);
        ip_mreqn membership{};
        membership.imr_multiaddr.s_addr = htonl(everyone->v4_bits());
        membership.imr_address.s_addr = htonl(INADDR_LOOPBACK);
        if (::setsockopt(group_.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership,
                         sizeof membership) != 0) {
            throw std::runtime_error("no multicast on loopback");
        }
    }
    return ssdp_.open();
}

std::string FakeIgd::location() const { return "http://" + http_.to_string() + "/rootDesc.xml"; }

std::string FakeIgd::control_url() const {
    const std::string path = options_.description == DescriptionFault::long_control_url
                                 ? "/" + std::string(200, 'c')
                                 : "/ctl/IPConn";
    return "http://" + http_.to_string() + path;
}

std::string FakeIgd::firewall_url() const { return "http://" + http_.to_string() + "/ctl/IP6FCtl"; }

std::vector<FakeMapping> FakeIgd::table() const {
    const std::lock_guard lock(mutex_);
    return table_;
}

std::vector<std::string> FakeIgd::actions() const {
    const std::lock_guard lock(mutex_);
    return actions_;
}

bool FakeIgd::stopping(std::chrono::milliseconds wait) const {
    pollfd stop{stop_.read.get(), POLLIN, 0};
    return ::poll(&stop, 1, static_cast<int>(wait.count())) != 0;
}

void FakeIgd::serve() {
    for (;;) {
        std::array<pollfd, 4> waiting = {{{stop_.read.get(), POLLIN, 0},
                                          {ssdp_.get(), POLLIN, 0},
                                          {group_.get(), POLLIN, 0},
                                          {listener_.get(), POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), flush()) < 0) return;
        if (waiting[0].revents != 0) return;
        if (waiting[1].revents != 0) on_search(ssdp_.get());
        if (waiting[2].revents != 0) on_search(group_.get());
        if (waiting[3].revents == 0) continue;
        const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
        if (fd >= 0) connections_.emplace_back([this, fd] { serve_http(fd); });
    }
}

void FakeIgd::on_search(int fd) {
    std::array<std::uint8_t, 2048> buffer;
    sockaddr_storage peer;
    socklen_t size = sizeof peer;
    const ssize_t got =
        ::recvfrom(fd, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&peer), &size);
    if (got < 0) return;
    ++searches_;
    const auto asked = ssdp::parse_search(ByteView(buffer.data(), static_cast<std::size_t>(got)));
    if (!asked || options_.search == SearchFault::mute) return;
    const bool two = options_.description == DescriptionFault::version_two;
    const std::string version = two ? "2" : "1";
    const bool root = asked->target == "upnp:rootdevice";
    if (!root && asked->target != std::string(igd) + version) return;

    ssdp::Announcement announcement;
    announcement.target = asked->target;
    announcement.usn = "uuid:fake::" + asked->target;
    announcement.server = "fake/1 UPnP/1.1 router/1";
    announcement.max_age = 120;
    announcement.location = location();
    if (options_.search == SearchFault::location_elsewhere) {
        announcement.location = "http://" + options_.elsewhere->to_string() + "/rootDesc.xml";
    }
    const bool other = options_.search == SearchFault::other_port;
    const int out = other ? other_port_.get() : ssdp_.get();
    const auto due = std::chrono::steady_clock::now() + options_.search_delay;
    const auto later = [&](const Bytes& bytes) { delayed_.push_back({due, out, peer, bytes}); };
    const unsigned noise = options_.search == SearchFault::garbage_first ? 100 : 0;
    for (unsigned i = 0; i < noise; ++i) later(Bytes(i * 10, static_cast<std::uint8_t>(i)));
    later(ssdp::encode(announcement));
}

int FakeIgd::flush() {
    while (!delayed_.empty()) {
        const Delayed& next = delayed_.front();
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            next.due - std::chrono::steady_clock::now());
        if (left.count() > 0) return static_cast<int>(left.count());
        const bool v4 = next.to.ss_family == AF_INET;
        ::sendto(next.fd, next.bytes.data(), next.bytes.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&next.to),
                 v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
        delayed_.pop_front();
    }
    return -1;
}

void FakeIgd::serve_http(int fd) {
    Fd connection(fd);
    // A client that says nothing does not hold the test up for ever.
    const timeval patience{20, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const std::string request = read_request(fd);
    if (request.empty()) return;
    ++http_requests_;
    const unsigned now = ++at_once_;
    unsigned most = most_at_once_;
    while (most < now && !most_at_once_.compare_exchange_weak(most, now)) {
    }
    const bool post = request.starts_with("POST ");
    std::string status = "200 OK";
    const std::string body = request.substr(request.find("\r\n\r\n") + 4);
    if (post) stopping(options_.action_delay);
    const std::string content = post ? answer(body, peer_of(fd), status) : description();
    --at_once_;
    respond(fd, post ? options_.action_http : options_.description_http, status, content);
}

void FakeIgd::drip(int fd, const std::string& start, const std::string& piece) {
    send_all(fd, start);
    while (!stopping(std::chrono::milliseconds(5))) {
        if (::send(fd, piece.data(), piece.size(), MSG_NOSIGNAL) < 0) return;
    }
}

void FakeIgd::respond(int fd, HttpFault fault, const std::string& status, const std::string& body) {
    const std::string start = "HTTP/1.1 " + status + "\r\nServer: fake/1\r\n";
    const std::string type = "Content-Type: text/xml\r\n";
    const auto length = [](std::size_t size) {
        return "Content-Length: " + std::to_string(size) + "\r\n\r\n";
    };
    const std::string large(1024 * 1024, ' ');
    const auto stay = [this] {
        while (!stopping(std::chrono::seconds(1))) {
        }
    };
    switch (fault) {
        case HttpFault::none:
        case HttpFault::closed: return send_all(fd, start + type + length(body.size()) + body);
        case HttpFault::silent: return stay();
        case HttpFault::closes_at_once: return;
        case HttpFault::closes_within: return send_all(fd, start);
        case HttpFault::not_http: return send_all(fd, "220 ftp ready\r\n");
        case HttpFault::huge: return send_all(fd, start + length(large.size()) + large);
        case HttpFault::huge_unannounced: return send_all(fd, start + "\r\n" + large);
        case HttpFault::huge_headers:
            return drip(fd, start, "X-More: " + large.substr(0, 1000) + "\r\n");
        case HttpFault::slow_drip: return drip(fd, start + length(body.size() + 100000), " ");
        case HttpFault::endless_chunks:
            return drip(fd, start + "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n");
        case HttpFault::never_closes: send_all(fd, start + "\r\n" + body); return stay();
        case HttpFault::half_and_open:
            send_all(fd, start + "\r\n" + body.substr(0, body.size() / 2));
            return stay();
        case HttpFault::long_length: return send_all(fd, start + length(body.size() + 50) + body);
        case HttpFault::wrong_type:
            return send_all(fd, start + "Content-Type: image/png\r\n" + length(body.size()) + body);
        case HttpFault::redirect:
            return send_all(fd, "HTTP/1.1 302 Found\r\nLocation: http://" +
                                    options_.elsewhere->to_string() + "/\r\n" + length(0));
        case HttpFault::not_found:
            return send_all(fd, "HTTP/1.1 404 Not Found\r\n" + length(20) + "<html>nothing</html>");
    }
}

std::string FakeIgd::description() const {
    using Fault = DescriptionFault;
    const Fault fault = options_.description;
    const std::string version = fault == Fault::version_two ? "2" : "1";
    std::string control = control_url().substr(("http://" + http_.to_string()).size());
    if (fault == Fault::control_elsewhere) {
        control = "http://" + options_.elsewhere->to_string() + control;
    }
    std::string names = element("friendlyName", "Fake &amp; Router") +
                        element("manufacturer", "Fakes") + element("modelName", "Model \x1b[31m") +
                        element("modelNumber", "1") + element("serialNumber", "42") +
                        element("UDN", "uuid:fake") + element("presentationURL", "/");
    std::string prefix = "<?xml version=\"1.0\"?>\r\n";
    if (fault == Fault::television) {
        return prefix + element("root", device("urn:schemas-upnp-org:device:MediaRenderer:1",
                                               names + element("serviceList",
                                                               service("AVTransport:1", "/av"))));
    }
    if (fault == Fault::entity_bomb) {
        std::string entities = "<!ENTITY a0 \"aaaaaaaaaa\">";
        for (int i = 1; i < 12; ++i) {
            const std::string inner = "&a" + std::to_string(i - 1) + ";";
            std::string ten;
            for (int j = 0; j < 10; ++j) ten += inner;
            entities += "<!ENTITY a" + std::to_string(i) + " \"" + ten + "\">";
        }
        prefix += "<!DOCTYPE root [" + entities + "]>";
        names = element("friendlyName", "&a11;&a11;&a11;");
    }
    if (fault == Fault::deep) {
        std::string deep;
        for (int i = 0; i < 40000; ++i) deep += "<d>";
        return prefix + "<root><device>" + deep;
    }
    std::string services = service("WANIPConnection:" + version, control);
    if (fault == Fault::two_connections) {
        // The better kind first, and not in use.
        services += service("WANPPPConnection:1", "/ctl/PPPConn");
    }
    if (options_.pinholes) services += service("WANIPv6FirewallControl:1", "/ctl/IP6FCtl");
    const auto in_list = [](const std::string& inner) { return element("deviceList", inner); };
    const std::string schema = "urn:schemas-upnp-org:device:";
    const std::string connection =
        device(schema + "WANConnectionDevice:" + version, element("serviceList", services));
    const std::string wan =
        device(schema + "WANDevice:" + version,
               element("serviceList", service("WANCommonInterfaceConfig:1", "/ctl/CmnIfCfg")) +
                   in_list(connection));
    const std::string base =
        fault == Fault::url_base_elsewhere
            ? element("URLBase", "http://" + options_.elsewhere->to_string() + "/")
            : std::string();
    std::string whole = prefix + "<root xmlns=\"urn:schemas-upnp-org:device-1-0\">" + base +
                        device(std::string(igd) + version, names + in_list(wan)) + "</root>\r\n";
    if (fault == Fault::cut_off) whole.resize(whole.find("</service>", whole.find(control)) + 10);
    return whole;
}

std::string FakeIgd::answer(const std::string& request_body, const std::string& client,
                            std::string& status) {
    const auto call = upnp::parse_call(request_body);
    const std::lock_guard lock(mutex_);
    Reply reply;
    reply.error = 401;
    if (call) {
        actions_.push_back(call->action);
        const auto ordered = options_.errors.find(call->action);
        const bool adds = call->action.starts_with("Add");
        const bool foreign = options_.secure && adds && value(*call, "NewInternalClient") != client;
        reply = ordered != options_.errors.end() ? Reply{ordered->second, {}}
                : foreign                        ? Reply{606, {}}
                                                 : act(*call);
    }
    if (reply.error != 0) {
        status = "500 Internal Server Error";
        return fault_body(reply.error);
    }
    return upnp::encode({call->service_type, call->action + "Response", reply.values});
}

FakeIgd::Reply FakeIgd::entry(const FakeMapping& mapping, bool whole) const {
    Reply reply;
    if (whole) {
        reply.values = {{"NewRemoteHost", ""},
                        {"NewExternalPort", std::to_string(mapping.external_port)},
                        {"NewProtocol", mapping.protocol}};
    }
    const std::vector<upnp::Argument> target = {
        {"NewInternalPort", std::to_string(mapping.internal_port)},
        {"NewInternalClient", mapping.internal_address},
        {"NewEnabled", mapping.enabled ? "1" : "0"},
        {"NewPortMappingDescription", mapping.description},
        {"NewLeaseDuration", std::to_string(mapping.lease)}};
    reply.values.insert(reply.values.end(), target.begin(), target.end());
    return reply;
}

FakeIgd::Reply FakeIgd::add(const upnp::Call& call, bool any_port) {
    FakeMapping mapping;
    mapping.protocol = value(call, "NewProtocol");
    mapping.external_port = static_cast<std::uint16_t>(number(call, "NewExternalPort"));
    mapping.internal_address = value(call, "NewInternalClient");
    mapping.internal_port = static_cast<std::uint16_t>(number(call, "NewInternalPort"));
    mapping.description = value(call, "NewPortMappingDescription");
    const std::uint32_t lease = number(call, "NewLeaseDuration");
    mapping.lease = options_.lists_no_lease ? 0 : std::min(lease, options_.longest_lease);
    // Many routers know the names in upper case alone.
    if (mapping.protocol != "UDP" && mapping.protocol != "TCP") return {402, {}};
    if (options_.only_permanent && lease != 0) return {725, {}};
    if (options_.same_port && mapping.external_port != mapping.internal_port) return {724, {}};
    const auto holder = [&] {
        return std::find_if(table_.begin(), table_.end(), [&](const FakeMapping& other) {
            return other.external_port == mapping.external_port &&
                   other.protocol == mapping.protocol;
        });
    };
    while (any_port && holder() != table_.end()) ++mapping.external_port;
    const auto held = holder();
    const bool foreign = held != table_.end() && held->internal_address != mapping.internal_address;
    if (foreign || (options_.no_renewal && held != table_.end())) return {718, {}};
    mapping.description = options_.lists_as.value_or(mapping.description);
    mapping.internal_address = options_.lists_client.value_or(mapping.internal_address);
    mapping.enabled = !options_.switches_off;
    if (options_.wrong_port) mapping.internal_port = 1;
    if (held == table_.end() && table_.size() >= options_.capacity) return {728, {}};
    if (!options_.forgets && held != table_.end()) *held = mapping;
    if (!options_.forgets && held == table_.end()) table_.push_back(mapping);
    Reply reply;
    if (any_port) reply.values = {{"NewReservedPort", std::to_string(mapping.external_port)}};
    return reply;
}

FakeIgd::Reply FakeIgd::pinhole(const upnp::Call& call) {
    if (call.action == "GetFirewallStatus") {
        return {0, {{"FirewallEnabled", "1"}, {"InboundPinholeAllowed", "1"}}};
    }
    if (call.action == "AddPinhole") {
        if (pinholes_.size() >= options_.capacity) return {701, {}};
        std::string target = value(call, "Protocol") + " " + value(call, "InternalClient") + " " +
                             value(call, "InternalPort");
        // One that is there already keeps its id.
        auto found = std::find_if(pinholes_.begin(), pinholes_.end(),
                                  [&](const Pinhole& one) { return one.target == target; });
        if (found == pinholes_.end()) {
            const unsigned id = pinholes_.empty() ? 1 : pinholes_.back().id + 1;
            found = pinholes_.insert(found, {id, std::move(target), {}});
        }
        found->lease = value(call, "LeaseTime");
        return {0, {{"UniqueID", std::to_string(found->id)}}};
    }
    const auto found = std::find_if(pinholes_.begin(), pinholes_.end(), [&](const Pinhole& one) {
        return std::to_string(one.id) == value(call, "UniqueID");
    });
    if (found == pinholes_.end()) return {704, {}};
    if (call.action == "UpdatePinhole") found->lease = value(call, "NewLeaseTime");
    if (call.action == "DeletePinhole") pinholes_.erase(found);
    if (call.action == "CheckPinholeWorking") return {0, {{"IsWorking", "1"}}};
    return {};
}

FakeIgd::Reply FakeIgd::act(const upnp::Call& call) {
    if (call.service_type.find("WANIPv6FirewallControl") != std::string::npos) return pinhole(call);
    const std::string& action = call.action;
    if (action == "GetExternalIPAddress") {
        return {0, {{"NewExternalIPAddress", options_.external_address}}};
    }
    if (action == "GetStatusInfo") {
        // Of two connections, the one over PPP is in use.
        const bool unused = options_.description == DescriptionFault::two_connections &&
                            call.service_type.find("PPP") == std::string::npos;
        return {0,
                {{"NewConnectionStatus", unused ? "Disconnected" : options_.connection},
                 {"NewLastConnectionError", "ERROR_NONE"},
                 {"NewUptime", "4711"}}};
    }
    if (action == "AddPortMapping") return add(call, false);
    if (action == "AddAnyPortMapping") {
        return options_.description == DescriptionFault::version_two ? add(call, true)
                                                                     : Reply{401, {}};
    }
    if (action == "GetGenericPortMappingEntry") {
        const std::uint32_t index = number(call, "NewPortMappingIndex");
        return index < table_.size() ? entry(table_[index], true) : Reply{713, {}};
    }
    const auto named = std::find_if(table_.begin(), table_.end(), [&](const FakeMapping& mapping) {
        return mapping.external_port == number(call, "NewExternalPort") &&
               mapping.protocol == value(call, "NewProtocol");
    });
    const bool specific = action == "GetSpecificPortMappingEntry";
    if (!specific && action != "DeletePortMapping") return {401, {}};
    if (named == table_.end()) return {714, {}};
    if (specific) return entry(*named, false);
    table_.erase(named);
    return {};
}

}  // namespace p2pdiag::testing
