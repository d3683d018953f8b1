#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "foreign/pf_match.hpp"

namespace p2pdiag::firewall::pf {

namespace {

using foreign::Match;
using foreign::Ways;

// pf nests 64 deep; nobody's rules do.
constexpr unsigned most_depth = 16;
// Rules looked at, over all anchors: what a hostile file may cost.
constexpr std::size_t most_steps = 500'000;

constexpr std::size_t most_ends = 10'000;

// Where evaluation stands: the rule that decides if no other follows; nullptr is the default.
struct Stand {
    const Rule* rule = nullptr;
    std::string path;  // of the rule's anchor
    std::uint64_t reasons = 0;
    bool hit = false;  // a rule matched since the anchor that is being walked began
};

bool alike(const Stand& a, const Stand& b) {
    if (a.hit != b.hit || (a.rule == nullptr) != (b.rule == nullptr)) return false;
    if (a.rule == nullptr) return true;
    return a.rule->action == b.rule->action && a.rule->returns == b.rule->returns &&
           a.rule->keeps_state == b.rule->keeps_state && a.rule->limited == b.rule->limited &&
           a.rule->opaque == b.rule->opaque;
}

void add(std::vector<Stand>& stands, Stand one) {
    for (Stand& known : stands) {
        if (!alike(known, one)) continue;
        const std::uint64_t reasons = known.reasons | one.reasons;
        // The later rule speaks for both.
        if (one.reasons == 0 || known.reasons != 0) known = std::move(one);
        known.reasons = reasons;
        return;
    }
    stands.push_back(std::move(one));
}

// An anchor's list, or what stands in its braces.
struct Body {
    const std::vector<Rule>* rules = nullptr;  // nullptr: not known
    std::string path;
};

class Walk {
public:
    Walk(const Ruleset& ruleset, const Packet& packet, Ways& ways)
        : ruleset_(ruleset), packet_(packet), ways_(ways) {}

    std::vector<End> run() {
        if (before_the_rules()) return std::move(ends_);
        const auto main = ruleset_.lists.find("");
        std::vector<Stand> stands = {Stand{}};
        if (!ruleset_.has_rules) {
            nobody_knows("pf's rules (pfctl -s rules), which the file does not tell");
        } else if (main != ruleset_.lists.end()) {
            if (main->second.cut) nobody_knows("more rules than are read");
            walk(main->second.rules, "", stands, 0);
        }
        for (const Stand& stand : stands) finish(stand);
        if (!ruleset_.unread.empty()) {
            nobody_knows("lines that are not understood: " + ruleset_.unread.front());
        }
        // What passes might still be sent elsewhere; what is blocked hardly is let in by that.
        const bool any =
            std::any_of(ends_.begin(), ends_.end(), [](const End& one) { return one.end.passes; });
        if (any && packet_.direction == Direction::in && !ruleset_.has_translations)
            nobody_knows("pf's redirections (pfctl -s nat), which the file does not tell");
        for (const std::string& doubt : doubts_) {
            if (any) nobody_knows(doubt);
        }
        return std::move(ends_);
    }

private:
    // It may end either way.
    void nobody_knows(const std::string& what, bool circumstantial = false) {
        const std::uint64_t reason = ways_.reasons.add(printable(what, 300), circumstantial);
        for (const bool passes : {true, false}) {
            End one;
            one.end.passes = passes;
            one.end.why = "Not known is " + what + '.';
            one.end.reasons = reason;
            ends_.push_back(std::move(one));
        }
        certain_ = false;
    }

    void pass(std::uint64_t reasons, std::string text, std::string why) {
        End one;
        one.end.passes = true;
        one.end.reasons = reasons;
        one.end.why = std::move(why);
        RuleRef& rule = one.end.rule.emplace();
        rule.table = "pf";
        rule.chain = "main";
        rule.text = std::move(text);
        rule.owner = "pf";
        ends_.push_back(std::move(one));
    }

    // Whether it never gets to the rules.
    bool before_the_rules() {
        if (!ruleset_.enabled) {
            nobody_knows("whether pf is on (pfctl -s info), which the file does not tell");
        } else if (!*ruleset_.enabled) {
            pass(0, "disabled", "pf is off.");
            return true;
        }
        if (ruleset_.skipped.contains(packet_.interface)) {
            pass(0, "set skip on " + printable(packet_.interface, 40),
                 "pf leaves this interface alone.");
            return true;
        }
        const bool others = std::any_of(ruleset_.skipped.begin(), ruleset_.skipped.end(),
                                        [](const auto& name) { return !name.starts_with("lo"); });
        if (packet_.interface.empty() && others)
            pass(ways_.reasons.add("the interface", true), "set skip", "pf leaves it alone.");
        if (packet_.direction == Direction::in) redirects("", 0);
        return false;
    }

    // Whoever is sent elsewhere is not followed there.
    void redirects(const std::string& path, unsigned depth) {
        const auto list = ruleset_.lists.find(path);
        if (list == ruleset_.lists.end()) return;
        for (const Redirect& redirect : list->second.redirects) {
            if (++steps_ > most_steps || depth > most_depth) return nobody_knows("too many rules");
            const Match found = pf::match(redirect.match, packet_, ruleset_, path, ways_.reasons);
            if (found.truth == Truth::no) continue;
            if (!redirect.anchor) {
                nobody_knows("where it is sent by `" + redirect.match.text + '`');
                continue;
            }
            for (const Body& body : bodies_of(redirect.match, path)) {
                if (body.rules == nullptr)
                    doubts_.insert("the redirections of the anchor " + redirect.match.anchor +
                                   " (pfctl -a ANCHOR -s nat), which the file does not tell");
                else if (!redirect.match.has_inner)
                    redirects(body.path, depth + 1);
            }
        }
    }

    static std::string below(const std::string& path, std::string_view name) {
        if (name.starts_with('/')) return std::string(name.substr(1));
        return path.empty() ? std::string(name) : path + '/' + std::string(name);
    }

    // What an anchor line leads to. "name/*" stands for all anchors right below, by their names.
    std::vector<Body> bodies_of(const Rule& rule, const std::string& path) const {
        if (rule.has_inner) return {{&rule.inner, below(path, rule.anchor)}};
        std::string name = below(path, rule.anchor);
        if (name.ends_with("/*")) {
            if (!ruleset_.anchors) return {Body{}};
            const std::string start = name.substr(0, name.size() - 1);
            std::vector<Body> bodies;
            for (const std::string& anchor : *ruleset_.anchors) {
                const bool child = anchor.starts_with(start) && anchor.size() > start.size() &&
                                   anchor.find('/', start.size()) == std::string::npos;
                if (child) bodies.push_back(body_of(anchor));
            }
            return bodies;
        }
        if (ruleset_.anchors && !ruleset_.anchors->contains(name) && !ruleset_.lists.contains(name))
            return {};
        return {body_of(name)};
    }

    Body body_of(const std::string& path) const {
        const auto list = ruleset_.lists.find(path);
        if (list == ruleset_.lists.end() || list->second.cut) return {};
        return {&list->second.rules, path};
    }

    void trace(const Rule& rule, const std::string& path, Truth truth, std::size_t stands) {
        // One more than fits, so that it is said to be cut.
        if (++traced_ > Limits{}.max_trace + 1) return;
        TraceStep step;
        step.hook = packet_.direction == Direction::in ? Hook::input : Hook::output;
        step.rule = ref_of(rule, path);
        step.certain = truth == Truth::yes && certain_ && stands == 1;
        switch (rule.action) {
            case Rule::Action::pass: step.outcome = "pass"; break;
            case Rule::Action::block: step.outcome = "block"; break;
            case Rule::Action::anchor: step.outcome = "jump " + printable(rule.anchor, 80); break;
        }
        if (!rule.quick && rule.action != Rule::Action::anchor)
            step.outcome += ", unless a later rule matches";
        ways_.trace(std::move(step));
    }

    void walk(const std::vector<Rule>& rules, const std::string& path, std::vector<Stand>& stands,
              unsigned depth) {
        for (const Rule& rule : rules) {
            if (stands.empty()) return;
            if (++steps_ > most_steps || ends_.size() > most_ends) {
                stands.clear();
                return nobody_knows("too many rules");
            }
            const Match found = pf::match(rule, packet_, ruleset_, path, ways_.reasons);
            if (found.truth == Truth::no) continue;
            trace(rule, path, found.truth, stands.size());
            if (rule.action == Rule::Action::anchor)
                enter(rule, path, found, stands, depth);
            else
                meet(rule, path, found, stands);
        }
    }

    void meet(const Rule& rule, const std::string& path, const Match& found,
              std::vector<Stand>& stands) {
        std::vector<Stand> after;
        for (const Stand& before : stands) {
            // It matters no more where evaluation stood.
            const std::uint64_t reasons = found.truth == Truth::yes && !rule.quick && certain_
                                              ? 0
                                              : before.reasons | found.reasons;
            if (found.truth == Truth::maybe) {
                Stand missed = before;
                missed.reasons |= found.reasons;
                add(after, std::move(missed));
            }
            const Stand hit{&rule, path, reasons, true};
            if (rule.quick)
                finish(hit);
            else
                add(after, hit);
        }
        if (rule.quick && found.truth == Truth::maybe) certain_ = false;
        stands = std::move(after);
    }

    void enter(const Rule& rule, const std::string& path, const Match& found,
               std::vector<Stand>& stands, unsigned depth) {
        if (depth >= most_depth) return nobody_knows("anchors deeper than are followed");
        std::vector<Stand> inside = stands;
        for (Stand& stand : inside) {
            stand.reasons |= found.reasons;
            if (!rule.quick) continue;
            // Whether the anchor around is hit would be forgotten.
            if (depth > 0 && stand.hit) return nobody_knows("a quick anchor in an anchor");
            stand.hit = false;
        }
        for (const Body& body : bodies_of(rule, path)) {
            if (body.rules == nullptr) {
                nobody_knows("the rules of the anchor " + rule.anchor +
                             " (pfctl -a ANCHOR -s rules), which the file does not tell");
            } else {
                walk(*body.rules, body.path, inside, depth + 1);
            }
        }
        std::vector<Stand> after;
        if (found.truth == Truth::maybe) {
            for (Stand& stand : stands) {
                stand.reasons |= found.reasons;
                add(after, stand);
            }
        }
        for (Stand& stand : inside) {
            if (rule.quick && stand.hit) {
                finish(stand);
                continue;
            }
            add(after, std::move(stand));
        }
        stands = std::move(after);
    }

    static RuleRef ref_of(const Rule& rule, const std::string& path) {
        RuleRef ref;
        ref.table = "pf";
        ref.chain = path.empty() ? "main" : printable(path, 120);
        ref.handle = rule.number;
        ref.text = rule.text;
        ref.owner = "pf";
        return ref;
    }

    void finish(const Stand& stand) {
        End one;
        one.end.reasons = stand.reasons;
        one.end.passes = true;
        if (stand.rule == nullptr) {
            one.end.why = "No rule of pf's matches, and it passes what none does.";
            one.keeps_state = false;
            ends_.push_back(std::move(one));
            return;
        }
        const Rule& rule = *stand.rule;
        one.end.rule = ref_of(rule, stand.path);
        if (rule.action == Rule::Action::block) {
            one.end.passes = false;
            one.end.reject_kind = answer_of(rule);
            one.end.rejected = !one.end.reject_kind.empty();
            one.end.why = std::string("It is ") + (one.end.rejected ? "rejected" : "dropped") +
                          " by pf's rule `" + rule.text + "`, the last that matches.";
            if (rule.quick) one.end.why = one.end.why.substr(0, one.end.why.rfind(',')) + '.';
            ends_.push_back(std::move(one));
            return;
        }
        one.keeps_state = rule.keeps_state;
        one.end.why = "It is passed by pf's rule `" + rule.text + "`.";
        for (const std::string& word : rule.opaque) {
            one.end.reasons |= ways_.reasons.add(
                "what \"" + word + "\" does in the rule `" + rule.text + '`', false);
            one.keeps_state.reset();
        }
        if (!rule.opaque.empty()) {
            End other = one;
            other.end.passes = false;
            ends_.push_back(std::move(other));
        }
        if (rule.limited) {
            End full = one;
            full.end.passes = false;
            full.end.reasons |= ways_.reasons.add("how many connections there are", true);
            one.end.reasons = full.end.reasons;
            ends_.push_back(std::move(full));
        }
        ends_.push_back(std::move(one));
    }

    // What the sender is told: pf.conf(5), "block".
    std::string answer_of(const Rule& rule) const {
        const bool is_tcp = packet_.protocol == protocol_tcp;
        if (rule.returns == "return") return is_tcp ? "tcp reset" : "icmp port-unreachable";
        if (rule.returns == "return-rst") return is_tcp ? "tcp reset" : "";
        return rule.returns.empty() ? "" : "icmp";
    }

    const Ruleset& ruleset_;
    const Packet& packet_;
    Ways& ways_;
    std::vector<End> ends_;
    std::size_t steps_ = 0;
    std::size_t traced_ = 0;
    bool certain_ = true;           // nothing ended before for a reason that is not known
    std::set<std::string> doubts_;  // what might send elsewhere a packet that passes
};

}  // namespace

std::vector<End> ends_of(const Ruleset& ruleset, const Packet& packet, Ways& ways) {
    return Walk(ruleset, packet, ways).run();
}

}  // namespace p2pdiag::firewall::pf
