// Rulesets put together for the tests, and what is asked of the planner.
#pragma once

#include "allow_model.hpp"
#include "allow_plan.hpp"
#include "iptables_save.hpp"
#include "machine.hpp"

namespace p2pdiag::firewall {

// The made-up machine with the internet behind vb, so that vb alone is an entrance. It is a tunnel,
// so that rules need not let neighbour discovery in.
inline World home() {
    World world = machine();
    world.interfaces[1].kind = net::LinkKind::tunnel;
    for (const char* everywhere : {"0.0.0.0", "::"}) {
        Route route;
        route.destination = ip(everywhere);
        route.interface = 2;
        world.routes->push_back(route);
    }
    world.sysctls.ipv4_forwarding = true;
    world.sysctls.ipv6_forwarding = true;
    return world;
}

// nft's JSON, entry by entry.
class Rules {
public:
    explicit Rules(std::string family = "inet", std::string table = "t")
        : where_(R"("family":")" + family + R"(","table":")" + table + '"') {
        add(R"({"table":{"family":")" + family + R"(","name":")" + table + R"(","handle":1}})");
    }

    Rules& base(const std::string& name, const std::string& hook, const std::string& policy,
                int priority = 0) {
        add("{\"chain\":{" + where_ + R"(,"name":")" + name +
            R"(","handle":1,"type":"filter","hook":")" + hook + R"(","prio":)" +
            std::to_string(priority) + R"(,"policy":")" + policy + "\"}}");
        return *this;
    }
    Rules& chain(const std::string& name) {
        add("{\"chain\":{" + where_ + R"(,"name":")" + name + R"(","handle":1}})");
        return *this;
    }
    Rules& rule(const std::string& chain, int handle, const std::string& statements,
                const std::string& comment = "") {
        add("{\"rule\":{" + where_ + R"(,"chain":")" + chain + R"(","handle":)" +
            std::to_string(handle) + (comment.empty() ? "" : R"(,"comment":")" + comment + '"') +
            R"(,"expr":[)" + statements + "]}}");
        return *this;
    }
    Rules& other(const std::string& entry) {
        add(entry);
        return *this;
    }

    std::string text() const { return "{\"nftables\":[" + entries_ + "]}"; }
    Ruleset read() const { return parsed(text()); }

private:
    void add(const std::string& entry) { entries_ += (entries_.empty() ? "" : ",") + entry; }

    std::string where_;
    std::string entries_;
};

inline const std::string accept_it = R"({"accept":null})";
inline const std::string drop_it = R"({"drop":null})";
inline const std::string reject_it = R"({"reject":null})";

inline std::string jump(const std::string& chain) {
    return R"({"jump":{"target":")" + chain + "\"}}";
}
inline std::string go(const std::string& chain) {
    return R"({"goto":{"target":")" + chain + "\"}}";
}
inline std::string is(const std::string& protocol, const std::string& field,
                      const std::string& value) {
    return R"({"match":{"op":"==","left":{"payload":{"protocol":")" + protocol + R"(","field":")" +
           field + R"("}},"right":)" + value + "}}";
}
inline const std::string established =
    R"({"match":{"op":"in","left":{"ct":{"key":"state"}},"right":["established","related"]}},)" +
    accept_it;

inline World with(World world, Ruleset ruleset) {
    world.rulesets.push_back(std::move(ruleset));
    return world;
}

inline Ruleset saved(const std::string& text, Family family = Family::ipv4,
                     Source source = Source::iptables_legacy) {
    Reading reading = read_iptables_save(text, family, source);
    if (!reading) throw std::runtime_error(reading.error().message);
    return std::move(*reading);
}

inline std::string recorded_text(const std::string& name) {
    std::ifstream file(std::string(FIREWALL_RECORDED) + '/' + name);
    if (!file) throw std::runtime_error("no record " + name);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline AllowWanted wanted(const std::string& protocol = "udp", const std::string& source = "",
                          std::uint16_t port = 4000) {
    json::object arguments{{"port", int{port}}, {"protocol", protocol}};
    if (!source.empty()) arguments["source"] = source;
    std::string why;
    const auto parsed = AllowWanted::parse(arguments, why);
    if (!parsed) throw std::runtime_error(why);
    return *parsed;
}

inline bool says(const AllowPlan& plan, std::string_view text) {
    for (const std::string& note : plan.notes) {
        if (note.find(text) != std::string::npos) return true;
    }
    for (const Finding& finding : plan.judgement.findings) {
        if (finding.message.find(text) != std::string::npos) return true;
    }
    return plan.judgement.summary.find(text) != std::string::npos;
}

}  // namespace p2pdiag::firewall
