// What a packet must be for a rule of iptables to be about it.
#include <catch2/catch.hpp>

#include "saved.hpp"

using namespace p2pdiag;
using namespace p2pdiag::firewall;

namespace {

constexpr VerdictKind yes = VerdictKind::accept;
constexpr VerdictKind no = VerdictKind::drop;

Packet six() { return packet(4000, Family::ipv6); }

Packet with_length(std::uint16_t length) {
    Packet made = packet();
    made.length = length;
    return made;
}

Packet marked(std::uint32_t mark) {
    Packet made = packet();
    made.mark = mark;
    return made;
}

}  // namespace

TEST_CASE("protocol, addresses, interfaces") {
    CHECK(matched("") == yes);
    CHECK(matched("-p udp") == yes);
    CHECK(matched("-p 17") == yes);
    CHECK(matched("-p tcp") == no);
    CHECK(matched("! -p tcp") == yes);
    CHECK(matched("! -p udp") == no);
    CHECK(matched("-p all") == yes);

    CHECK(matched("-s 10.9.0.1/32") == yes);
    CHECK(matched("-s 10.9.0.0/24") == yes);
    CHECK(matched("! -s 10.9.0.0/24") == no);
    CHECK(matched("-s 10.9.0.2") == no);
    CHECK(matched("-d 10.9.0.2") == yes);
    CHECK(matched("-s 10.9.0.0/255.255.255.0") == yes);
    // The bits that count may be any.
    CHECK(matched("-s 10.0.0.1/255.0.0.255") == yes);
    CHECK(matched("-s 10.0.0.2/255.0.0.255") == no);
    CHECK(matched("-s 0.0.0.0/0") == yes);
    CHECK(matched("-s fd09::/64", six()) == yes);
    CHECK(matched("-s fd09::/ffff::", six()) == yes);
    CHECK(matched("! -d fd09::2/128", six()) == no);

    CHECK(matched("-i vb") == yes);
    CHECK(matched("-i vc") == no);
    CHECK(matched("-i v+") == yes);
    CHECK(matched("-i vb+") == yes);
    CHECK(matched("-i +") == yes);
    CHECK(matched("! -i v+") == no);
    CHECK(matched("-o vb") == no);
    CHECK(matched("-f") == no);
    CHECK(matched("! -f") == yes);
}

TEST_CASE("ports") {
    CHECK(matched("-p udp -m udp --dport 4000") == yes);
    CHECK(matched("-p udp -m udp --dport 4001") == no);
    CHECK(matched("-p udp -m udp ! --dport 4001") == yes);
    CHECK(matched("-p udp -m udp --dport 3990:4000") == yes);
    CHECK(matched("-p udp -m udp --dport :4000") == yes);
    CHECK(matched("-p udp -m udp --dport 4001:") == no);
    CHECK(matched("-p udp -m udp --sport 7000 --dport 4000") == yes);
    CHECK(matched("-p udp --dport 4000") == yes);
    CHECK(matched("-p udp --dport ! 4000") == no);
    CHECK(matched("-p tcp -m tcp --dport 4000") == no);
    CHECK(matched("-p tcp -m tcp --dport 4000", tcp(packet())) == yes);
    CHECK(matched("-p udp -m udp --dport http") == VerdictKind::undecided);

    CHECK(matched("-p udp -m multiport --dports 1,4000:4005,9") == yes);
    CHECK(matched("-p udp -m multiport --dports 1,2") == no);
    CHECK(matched("-p udp -m multiport ! --dports 1,2") == yes);
    CHECK(matched("-p udp -m multiport --sports 1,7000") == yes);
    CHECK(matched("-p udp -m multiport --ports 7000,5") == yes);
    CHECK(matched("-p udp -m multiport --ports 4000,5") == yes);
    CHECK(matched("-p udp -m multiport --ports 5") == no);
    CHECK(matched("-p udp -m multiport ! --ports 4000,5") == no);
    CHECK(matched("-p udp -m multiport ! --ports 5") == yes);
}

TEST_CASE("a rule whose condition is an or acts once") {
    // Both ports are in the list: were the rule there twice, the mark would be changed back.
    const World world =
        with(saved("*mangle\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp -m multiport --ports 4000,7000 "
                   "-j MARK --xor-mark 1\nCOMMIT\n" +
                   filter_table("-A INPUT -m mark --mark 1 -j ACCEPT")));
    CHECK(evaluate(world, packet()).kind == yes);
}

TEST_CASE("TCP flags") {
    const Packet syn = tcp(packet());
    CHECK(matched("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", syn) == yes);
    CHECK(matched("-p tcp -m tcp --syn", syn) == yes);
    CHECK(matched("-p tcp -m tcp ! --syn", syn) == no);
    CHECK(matched("-p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK", syn) == no);
    CHECK(matched("-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE", syn) == no);
    CHECK(matched("-p tcp -m tcp ! --tcp-flags ALL NONE", syn) == yes);
    CHECK(matched("-p tcp -m tcp --tcp-option 5", syn) == VerdictKind::undecided);
}

TEST_CASE("the state of the connection") {
    CHECK(matched("-m conntrack --ctstate NEW") == yes);
    CHECK(matched("-m conntrack --ctstate RELATED,ESTABLISHED") == no);
    CHECK(matched("-m conntrack ! --ctstate RELATED,ESTABLISHED") == yes);
    CHECK(matched("-m state --state NEW,INVALID") == yes);
    CHECK(matched("-m state ! --state NEW") == no);
    CHECK(matched("-m conntrack --ctstate DNAT") == no);
    CHECK(matched("-m conntrack ! --ctstate DNAT") == yes);
    CHECK(matched("-m conntrack --ctstate DNAT,NEW") == yes);
    CHECK(matched("-m conntrack --ctproto 17") == yes);
    CHECK(matched("-m conntrack --ctproto 6") == no);
    CHECK(matched("-m conntrack --ctorigdstport 3990:4010") == yes);
    CHECK(matched("-m conntrack --ctorigsrc 10.9.0.0/24 --ctorigdst 10.9.0.2") == yes);
    CHECK(matched("-m conntrack ! --ctorigsrcport 7000") == no);
    CHECK(matched("-m conntrack --ctdir ORIGINAL") == yes);
    CHECK(matched("-m conntrack --ctdir REPLY") == no);
    CHECK(matched("-m conntrack --ctstatus NONE") == no);
    CHECK(matched("-m conntrack --ctstatus EXPECTED,ASSURED") == no);
    CHECK(matched("-m conntrack --ctstate NEW --ctreplsrc 10.0.0.0/8") == VerdictKind::undecided);
    CHECK(matched("-m conntrack --ctstate ESTABLISHED --ctreplsrc 10.0.0.0/8") == no);
    CHECK(matched("-m conntrack --ctexpire 5") == VerdictKind::depends);
}

TEST_CASE("a packet that is not tracked is asked for its state alone") {
    const auto untracked = [](const std::string& conditions) {
        const World world =
            with(saved("*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j CT --notrack\nCOMMIT\n" +
                       filter_table("-A INPUT " + conditions + " -j ACCEPT")));
        return evaluate(world, packet()).kind;
    };
    CHECK(untracked("-m conntrack --ctstate UNTRACKED") == yes);
    CHECK(untracked("-m conntrack --ctstate NEW") == no);
    CHECK(untracked("-m conntrack --ctstate UNTRACKED --ctdir REPLY") == yes);
    CHECK(untracked("-m conntrack --ctdir ORIGINAL") == no);
    CHECK(untracked("-m conntrack ! --ctdir ORIGINAL") == no);
    CHECK(untracked("-m conntrack ! --ctstate NEW,DNAT") == yes);
    CHECK(untracked("-m connmark ! --mark 7") == no);
}

TEST_CASE("a translated connection has that among its states") {
    const auto redirected = [](const std::string& conditions) {
        const World world =
            with(saved("*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j REDIRECT "
                       "--to-ports 5000\nCOMMIT\n" +
                       filter_table("-A INPUT " + conditions + " -j ACCEPT")));
        return evaluate(world, packet()).kind;
    };
    CHECK(redirected("-m conntrack --ctstate DNAT") == yes);
    CHECK(redirected("-m conntrack --ctstate DNAT,ESTABLISHED") == yes);
    CHECK(redirected("-m conntrack ! --ctstate DNAT") == no);
    CHECK(redirected("-m conntrack ! --ctstate ESTABLISHED,DNAT") == no);
    CHECK(redirected("-m conntrack --ctstate SNAT") == no);
    CHECK(redirected("-m conntrack --ctorigdstport 4000") == yes);
}

TEST_CASE("marks") {
    CHECK(matched("-m mark --mark 0x7", marked(7)) == yes);
    CHECK(matched("-m mark --mark 0x7", marked(8)) == no);
    CHECK(matched("-m mark ! --mark 0x7", marked(8)) == yes);
    CHECK(matched("-m mark --mark 0x3/0xf", marked(0x13)) == yes);
    CHECK(matched("-m mark --mark 0x13/0xf", marked(0x13)) == no);
    CHECK(matched("-m connmark --mark 0") == yes);
    CHECK(matched("-m connmark --mark 0x1/0x1") == no);
}

TEST_CASE("the type of an address") {
    CHECK(matched("-m addrtype --dst-type LOCAL") == yes);
    CHECK(matched("-m addrtype ! --dst-type LOCAL") == no);
    CHECK(matched("-m addrtype --dst-type MULTICAST,LOCAL") == yes);
    CHECK(matched("-m addrtype --src-type LOCAL") == no);
    CHECK(matched("-m addrtype --src-type UNICAST") == yes);
    CHECK(matched("-m addrtype --dst-type LOCAL --limit-iface-in") == yes);
    CHECK(matched("-m addrtype --dst-type LOCAL", six()) == yes);
    // For IPv6 an address of this host is unicast too.
    CHECK(matched("-m addrtype --dst-type UNICAST", six()) == yes);
    CHECK(matched("-m addrtype --dst-type UNICAST") == no);
    CHECK(matched("-m addrtype --dst-type MULTICAST", six()) == no);
    CHECK(matched("-m addrtype --dst-type ANYCAST", six()) == VerdictKind::undecided);
}

TEST_CASE("fields of the packet") {
    CHECK(matched("-m iprange --src-range 10.9.0.1-10.9.0.5") == yes);
    CHECK(matched("-m iprange ! --src-range 10.9.0.1-10.9.0.5") == no);
    CHECK(matched("-m iprange --src-range 10.9.0.1-10.9.0.5 --dst-range 10.9.0.3-10.9.0.4") == no);
    CHECK(matched("-m iprange --src-range fd09::-fd09::f", six()) == yes);
    CHECK(matched("-m length --length 0:100", with_length(36)) == yes);
    CHECK(matched("-m length ! --length 0:100", with_length(36)) == no);
    CHECK(matched("-m length --length 100", with_length(36)) == no);
    CHECK(matched("-m pkttype --pkt-type unicast") == yes);
    CHECK(matched("-m pkttype --pkt-type multicast") == no);
    Packet near = packet();
    near.ttl = 64;
    CHECK(matched("-m ttl --ttl-eq 64", near) == yes);
    CHECK(matched("-m ttl --ttl-gt 5", near) == yes);
    CHECK(matched("-m ttl --ttl-lt 64", near) == no);
    CHECK(matched("-m ttl --ttl-gt 64", near) == no);
    CHECK(matched("-p icmp -m icmp --icmp-type 8") == no);
    CHECK(matched("-p ipv6-icmp -m icmp6 --icmpv6-type 135", six()) == no);
    CHECK(matched("-m frag --fragmore", six()) == no);
    CHECK(matched("-m rt --rt-type 0", six()) == no);
}

TEST_CASE("ICMP types") {
    Packet echo = packet();
    echo.protocol = protocol_icmp;
    echo.icmp_type = 8;
    CHECK(matched("-p icmp -m icmp --icmp-type 8", echo) == yes);
    CHECK(matched("-p icmp -m icmp --icmp-type 3", echo) == no);
    CHECK(matched("-p icmp -m icmp ! --icmp-type 3", echo) == yes);
    CHECK(matched("-p icmp -m icmp --icmp-type any", echo) == yes);
}

TEST_CASE("what nobody can know beforehand") {
    for (const char* conditions :
         {"-m limit --limit 1/min", "-m statistic --mode random --probability 0.5",
          "-m time --timestart 10:00:00", "-m hashlimit --hashlimit-above 1/sec --hashlimit-name x",
          "-m recent --rcheck --name x", "-m connlimit --connlimit-above 3", "-m quota --quota 5",
          "-m owner --uid-owner 0"}) {
        INFO(conditions);
        CHECK(matched(conditions) == VerdictKind::depends);
    }
}

TEST_CASE("what is not understood leaves it open, also behind what is") {
    for (const char* conditions : {"-m set --match-set black src",
                                   "-m u32 --u32 0x6&0xff=0x11",
                                   "-m string --string \"-j DROP\" --algo bm",
                                   "-m physdev --physdev-is-bridged",
                                   "-m nonsense",
                                   "-m nonsense --foo 1 ! --bar 2 3",
                                   "-p udp --nonsense 5",
                                   "-m udp --nonsense",
                                   "-s host.example",
                                   "-i",
                                   "-p",
                                   "-p udp --dport",
                                   "!",
                                   "-m",
                                   "--",
                                   "-m conntrack --ctstate NEWER",
                                   "-m mark --mark many",
                                   "-m iprange --src-range 10.9.0.9-10.9.0.1",
                                   "-s 10.9.0.1/33",
                                   "-m multiport --dports 1,,2",
                                   "-m set"}) {
        INFO(conditions);
        CHECK(matched(conditions) == VerdictKind::undecided);
    }
    CHECK(matched("-p tcp -m set --match-set black src") == no);
    CHECK(matched("-m set --match-set black src -p tcp") == no);
}

TEST_CASE("a match that always holds, and text that looks like options") {
    CHECK(matched("-m recent --set --name x --mask 255.255.255.255 --rsource") == yes);
    CHECK(matched("-m comment --comment \"it is -j DROP \\\" -p tcp\"") == yes);
    CHECK(matched("-m comment --comment -p -p udp") == yes);
    CHECK(matched("-m comment --comment ! -p udp") == yes);
    CHECK(matched("-m helper --helper ftp") == no);
}
