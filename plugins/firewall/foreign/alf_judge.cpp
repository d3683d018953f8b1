#include <algorithm>

#include "base/text.hpp"
#include "foreign/alf.hpp"

namespace p2pdiag::firewall::macos {

namespace {

using foreign::End;
using foreign::Ways;

constexpr const char* alf_name = "macOS' application firewall";

Truth truth_of(std::optional<bool> known) {
    if (!known) return Truth::maybe;
    return *known ? Truth::yes : Truth::no;
}

// Whether an entry of the list is about the program.
Truth is_app(const std::string& app, const std::optional<std::string>& program) {
    if (!program) return Truth::maybe;
    std::string listed = app;
    while (listed.size() > 1 && listed.back() == '/') listed.pop_back();
    // Newer releases list bundles by their identifier.
    if (listed.find('/') == std::string::npos) return Truth::maybe;
    if (program->find('/') == std::string::npos) {
        return listed.find(*program) == std::string::npos ? Truth::no : Truth::maybe;
    }
    if (*program == listed) return Truth::yes;
    return listed.ends_with(".app") && program->starts_with(listed + '/') ? Truth::yes : Truth::no;
}

// What System Integrity Protection keeps as Apple shipped it.
bool is_built_in(const std::string& program) {
    for (const std::string_view place :
         {"/System/", "/usr/bin/", "/usr/sbin/", "/usr/libexec/", "/bin/", "/sbin/"}) {
        if (program.starts_with(place)) return true;
    }
    return false;
}

// DHCP, Bonjour and IPsec go on while all else is blocked.
bool may_be_essential(const Packet& packet) {
    constexpr std::uint16_t ports[] = {67, 68, 500, 546, 4500, 5353};
    return packet.protocol == protocol_udp && std::find(std::begin(ports), std::end(ports),
                                                        packet.destination_port) != std::end(ports);
}

class Judge {
public:
    Judge(const ApplicationFirewall& firewall, const Packet& packet,
          const std::optional<std::string>& program, Ways& ways)
        : firewall_(firewall), packet_(packet), program_(program), ways_(ways) {}

    std::vector<End> judge() {
        const std::uint64_t off = unknown("its state (--getglobalstate)");
        if (ends(!truth_of(firewall_.on), off, true, 0, "off",
                 std::string(alf_name) + " is off.")) {
            ends_.back().rule.reset();
            return std::move(ends_);
        }
        if (blocks_all()) return std::move(ends_);
        if (firewall_.apps) {
            for (std::size_t i = 0; i < firewall_.apps->size(); ++i) {
                if (app(i)) return std::move(ends_);
            }
        }
        if (!firewall_.apps || firewall_.apps_cut) {
            const std::uint64_t reason = unknown("its whole list of programs (--listapps)");
            ends(Truth::maybe, reason, true, 0, "a list that is not whole", "");
            ends(Truth::maybe, reason, false, 0, "a list that is not whole", "");
        }
        not_listed();
        return std::move(ends_);
    }

private:
    std::uint64_t unknown(const std::string& what) {
        return ways_.reasons.add(
            std::string(alf_name) + ": " + what + ", which the file does not tell", false);
    }
    std::uint64_t depends(std::string what) { return ways_.reasons.add(std::move(what), true); }

    // What ends here if `truth`; whether nothing goes on.
    bool ends(Truth truth, std::uint64_t reasons, bool passes, std::size_t number, std::string text,
              std::string why) {
        if (truth == Truth::no) return false;
        End one;
        one.passes = passes;
        one.why = std::move(why);
        one.reasons = truth == Truth::maybe ? reasons : 0;
        RuleRef& rule = one.rule.emplace();
        rule.table = "application firewall";
        rule.chain = "incoming";
        rule.handle = static_cast<std::int64_t>(number);
        rule.text = printable(text, 400);
        rule.owner = "macos-application-firewall";
        TraceStep step;
        step.hook = Hook::input;
        step.rule = rule;
        step.certain = truth == Truth::yes && certain_;
        step.outcome = passes ? "accept" : "drop";
        ways_.trace(std::move(step));
        certain_ = certain_ && truth == Truth::yes;
        ends_.push_back(std::move(one));
        return truth == Truth::yes;
    }

    bool blocks_all() {
        const Truth all = truth_of(firewall_.blocks_all);
        if (all != Truth::no && may_be_essential(packet_)) {
            ends(Truth::maybe,
                 depends("whether a service of macOS itself listens (DHCP, Bonjour, "
                         "IPsec), which is let in always"),
                 true, 0, "essential services",
                 std::string(alf_name) + " lets in essential services.");
        }
        return ends(all, unknown("whether it blocks all (--getblockall)"), false, 0,
                    "block all non-essential incoming connections",
                    std::string(alf_name) +
                        " blocks all incoming connections, whatever is allowed in "
                        "its list.");
    }

    bool app(std::size_t index) {
        const App& app = (*firewall_.apps)[index];
        const std::string shown = printable(app.name, 120);
        const std::string what = app.allowed ? "Allow" : "Block";
        return ends(is_app(app.name, program_), depends("whether the program is " + shown),
                    app.allowed, index + 1, what + " incoming connections: " + shown,
                    std::string(alf_name) + (app.allowed ? " lets " : " blocks ") + shown +
                        (app.allowed ? " in." : "."));
    }

    void not_listed() {
        const bool rooted = program_ && program_->starts_with('/');
        if (rooted && is_built_in(*program_)) {
            const std::string text = "automatically allow built-in signed software";
            if (ends(truth_of(firewall_.allows_built_in), unknown(text + " (--getallowsigned)"),
                     true, 0, text,
                     std::string(alf_name) + " lets in the programs that came with macOS.")) {
                return;
            }
        } else if (firewall_.allows_downloaded != false || !rooted) {
            ends(Truth::maybe,
                 firewall_.allows_downloaded || !rooted
                     ? depends("whether the program is signed, and such programs are let in")
                     : unknown("automatically allow downloaded signed software "
                               "(--getallowsigned)"),
                 true, 0, "automatically allow signed software",
                 std::string(alf_name) + " lets in signed programs.");
        }
        ends(Truth::maybe, depends("what the user answers when macOS asks about the program"), true,
             0, "ask the user", "The user allowed it.");
        ends(Truth::yes, 0, false, 0, "ask the user",
             std::string(alf_name) + " has no entry that lets the program in, and asks the user.");
    }

    const ApplicationFirewall& firewall_;
    const Packet& packet_;
    const std::optional<std::string>& program_;
    Ways& ways_;
    std::vector<End> ends_;
    bool certain_ = true;
};

}  // namespace

std::vector<End> ends_of(const ApplicationFirewall& firewall, const Packet& packet,
                         const std::optional<std::string>& program, Ways& ways) {
    return Judge(firewall, packet, program, ways).judge();
}

}  // namespace p2pdiag::firewall::macos
