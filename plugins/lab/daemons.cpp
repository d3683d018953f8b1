#include "daemons.hpp"

namespace p2pdiag::lab {
namespace {

std::string file(const std::string& name) { return std::string(lab_dir) + "/" + name; }

constexpr Listener::Transport udp = Listener::Transport::udp;
constexpr Listener::Transport tcp = Listener::Transport::tcp;

}  // namespace

Daemon stun_server(bool ipv6) {
    std::vector<std::string> listening{addresses::server, addresses::server_other};
    if (ipv6) listening.insert(listening.end(), {addresses::server6, addresses::server_other6});

    Daemon daemon;
    daemon.program = "turnserver";
    daemon.config_name = "turnserver.conf";
    daemon.arguments = {"-c", file(daemon.config_name)};
    daemon.needs_certificate = true;
    std::string& config = daemon.config;
    for (const std::string& address : listening) {
        config += "listening-ip=" + address + "\nrelay-ip=" + address + "\n";
        for (const std::uint16_t port : {std::uint16_t{3478}, std::uint16_t{3479}}) {
            daemon.listeners.push_back({udp, address, port});
            daemon.listeners.push_back({tcp, address, port});
        }
        daemon.listeners.push_back({tcp, address, 5349});
    }
    config += "listening-port=3478\ntls-listening-port=5349\n";
    config += "lt-cred-mech\nrealm=" + std::string(turn_realm) + "\n";
    config += "user=" + std::string(turn_user) + ":" + turn_password + "\n";
    config += "fingerprint\n";
    config += "cert=" + file("server.crt") + "\npkey=" + file("server.key") + "\n";
    config += "userdb=" + file("turndb") + "\npidfile=" + file("turnserver.pid") + "\n";
    config += "log-file=stdout\nsimple-log\nno-cli\n";
    // One process for a handful of clients.
    config += "relay-threads=1\n";
    return daemon;
}

Daemon name_server(bool ipv6, Dns dns) {
    Daemon daemon;
    daemon.program = "dnsmasq";
    daemon.config_name = "dnsmasq.conf";
    // Debug mode, as it alone leaves user and groups as they are: a user namespace may have no
    // others.
    daemon.arguments = {"--no-daemon", "--conf-file=" + file(daemon.config_name)};
    std::string& config = daemon.config;
    config += "bind-interfaces\nno-resolv\nno-hosts\n";
    config += std::string("listen-address=") + addresses::dns + "\n";
    if (ipv6) config += std::string("listen-address=") + addresses::dns6 + "\n";
    const auto record = [&](const std::string& names, const char* v4, const char* v6) {
        config += "host-record=" + names + "," + v4 + (ipv6 ? std::string(",") + v6 : "") + "\n";
    };
    record("stun.lab,turn.lab,server.lab", addresses::server, addresses::server6);
    record("www.lab", addresses::server, addresses::server6);
    record("stun-alt.lab,server-alt.lab", addresses::server_other, addresses::server_other6);
    // RFC 7050 section 2.2: the name has IPv4 addresses alone, unless a resolver makes up IPv6 ones
    // for its NAT64, here with the prefix 64:ff9b::/96.
    config += "host-record=ipv4only.arpa,192.0.0.170\nhost-record=ipv4only.arpa,192.0.0.171\n";
    if (dns == Dns::nat64) {
        config += "host-record=ipv4only.arpa,64:ff9b::c000:aa\n";
        config += "host-record=ipv4only.arpa,64:ff9b::c000:ab\n";
    }
    config += std::string("address=/#/") + (dns == Dns::lying ? addresses::nobody : "") + "\n";
    // Else it would refuse to say that there is no IPv6 address to lie with.
    if (dns == Dns::lying) config += "local=/#/\n";
    daemon.listeners.push_back({udp, addresses::dns, 53});
    return daemon;
}

namespace {

// Python's own web server. Its first argument is the page to lead to, or "-"; then the seconds that
// its clock is ahead, and the addresses to listen on.
constexpr const char* web_program =
    R"(import http.server, socket, socketserver, sys, threading, time
page, ahead = sys.argv[1], int(sys.argv[2])

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def date_time_string(self, timestamp=None):
        return super().date_time_string(time.time() + ahead)

    def do_GET(self):
        if page != "-" and self.path != "/login":
            self.send_response(302)
            self.send_header("Location", page)
            text = b""
        elif page != "-":
            self.send_response(200)
            text = b"<html>Please log in</html>"
        else:
            text = b""
            self.send_response(204 if self.path == "/generate_204" else 404)
        if self.path != "/generate_204" or page != "-":
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64

    def server_bind(self):  # without looking up a name for the address
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

class Server6(Server):
    address_family = socket.AF_INET6

for listen in sys.argv[3:]:
    address, port = listen.rsplit(" ", 1)
    made = (Server6 if ":" in address else Server)((address, int(port)), Handler)
    threading.Thread(target=made.serve_forever).start()
)";

// Not whatever python3 the PATH of the caller has: a wrapper may want a home directory.
constexpr const char* python = "/usr/bin/python3";

Daemon web_daemon(const std::string& name, const std::string& page, int ahead_s,
                  const std::vector<std::pair<std::string, std::uint16_t>>& listening) {
    Daemon daemon;
    daemon.program = python;
    daemon.config_name = name + ".py";
    daemon.config = web_program;
    daemon.arguments = {file(daemon.config_name), page, std::to_string(ahead_s)};
    for (const auto& [address, port] : listening) {
        daemon.arguments.push_back(address + " " + std::to_string(port));
        daemon.listeners.push_back({tcp, address, port});
    }
    return daemon;
}

}  // namespace

Daemon web_server(bool ipv6, int ahead_s) {
    std::vector<std::pair<std::string, std::uint16_t>> listening;
    std::vector<std::string> all{addresses::server, addresses::server_other};
    if (ipv6) all.insert(all.end(), {addresses::server6, addresses::server_other6});
    for (const std::string& address : all) {
        listening.insert(listening.end(), {{address, 80}, {address, 443}});
    }
    return web_daemon("web", "-", ahead_s, listening);
}

Daemon portal_page() {
    return web_daemon("portal", "http://portal.lab/login", 0,
                      {{addresses::router_lan, portal_port}});
}

Daemon port_mapper(const Igd& igd, bool ipv6) {
    Daemon daemon;
    daemon.program = "miniupnpd";
    daemon.config_name = "miniupnpd.conf";
    daemon.arguments = {"-d", "-f", file(daemon.config_name), "-P", file("miniupnpd.pid")};
    const auto yes_no = [](bool yes) { return yes ? "yes\n" : "no\n"; };
    std::string& config = daemon.config;
    config += "ext_ifname=wan0\nlistening_ip=lan0\nhttp_port=5000\n";
    if (ipv6) config += "ext_ifname6=wan0\n";
    config += std::string("ipv6_disable=") + yes_no(!ipv6);
    config += std::string("enable_upnp=") + yes_no(igd.upnp);
    config += std::string("enable_natpmp=") + yes_no(igd.natpmp || igd.pcp);
    config += "secure_mode=yes\nsystem_uptime=no\nnotify_interval=30\n";
    config += "uuid=5d1c1bb4-0f2c-4c5e-9d0c-70327064696a\nfriendly_name=p2pdiag lab router\n";
    config += "lease_file=" + file("upnp.leases") + "\n";
    config += "upnp_table_name=igd\nupnp_nat_table_name=igd\nupnp_forward_chain=miniupnpd\n";
    config += "upnp_nat_chain=prerouting_miniupnpd\n";
    config += "upnp_nat_postrouting_chain=postrouting_miniupnpd\n";
    config += "allow 1024-65535 192.168.7.0/24 1024-65535\n";
    config += "deny 0-65535 0.0.0.0/0 0-65535\n";
    if (igd.upnp) daemon.listeners.push_back({tcp, addresses::router_lan, 5000});
    // RFC 6886 section 3: the gateway listens on port 5351.
    if (igd.natpmp || igd.pcp) daemon.listeners.push_back({udp, addresses::router_lan, 5351});
    return daemon;
}

}  // namespace p2pdiag::lab
