// The command `p2pdiag firewall check`: docs/user/firewall.md.
#include <algorithm>
#include <iostream>
#include <map>

#include "allow_plan.hpp"
#include "base/text.hpp"
#include "blind.hpp"
#include "check_report.hpp"
#include "check_request.hpp"
#include "checks.hpp"
#include "input.hpp"
#include "offline.hpp"
#include "panic.hpp"

namespace p2pdiag::firewall {

namespace {

constexpr int exit_usage = 2;

using Checked = boost::system::result<CheckReport, BadRequest>;

bool has_family(const std::vector<CheckLine>& lines, Family family) {
    return std::any_of(lines.begin(), lines.end(), [family](const CheckLine& line) {
        return line.asked.question.family == family;
    });
}

void note_absent_families(const CheckRequest& request, CheckReport& report) {
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        const auto& source = request.inquiry.source;
        if ((source && source->family() != family) || has_family(report.lines, family)) continue;
        if (family == Family::ipv6 && report.left_out) continue;
        report.notes.push_back(std::string(family == Family::ipv4 ? "IPv4" : "IPv6") +
                               ": no working link has an address, so nothing can come in.");
    }
}

void note_barred(const World& world, const CheckRequest& request, CheckReport& report) {
    const auto& source = request.inquiry.source;
    if (source && source->is_v4()) return;
    if (!request.interface) {
        report.notes = why_barred(world);
    } else if (const net::Interface* chosen = world.find_interface(*request.interface)) {
        const net::InterfaceAddress* barred = barred_address(*chosen);
        if (barred != nullptr) report.notes.push_back(why_barred(*chosen, *barred));
    }
    report.left_out = !report.notes.empty();
}

// What this machine can do about it by itself: what `allow` would find to do, and do.
class RemedyHere {
public:
    RemedyHere(const World& world, const CheckRequest& request) : world_(world) {
        wanted_.port = request.inquiry.port;
        if (const auto& source = request.inquiry.source)
            wanted_.source = SourceNet{*source, source->is_v4() ? 32u : 128u};
    }

    // Puts it into the line.
    void find(CheckLine& line) {
        const Asked& asked = line.asked;
        if (asked.verdict.passes != false) return;
        const auto& rule = asked.verdict.deciding_rule;
        if (world_.panic == true && rule && is_of_panic(*rule)) {
            line.remedy = {std::string("sudo ") + end_of_panic};
            return;
        }
        const std::uint8_t protocol = asked.question.protocol;
        wanted_.protocols = {protocol};
        const auto known = plans_.find(protocol);
        const AllowPlan& plan =
            known != plans_.end()
                ? known->second
                : plans_.emplace(protocol, make_allow_plan(world_, wanted_)).first->second;
        const Aim aim{asked.question.family, asked.question.interface};
        const bool opens = std::ranges::any_of(plan.steps, [&](const AllowStep& step) {
            return std::ranges::find(step.aims, aim) != step.aims.end();
        });
        if (opens)
            line.remedy = {"sudo " + wanted_.command()};
        else
            line.no_remedy = why_not(plan, asked.question);
    }

private:
    // What the plan says of this link and family, or of all.
    static std::string why_not(const AllowPlan& plan, const Question& question) {
        for (const Finding& finding : plan.judgement.findings) {
            const json::object& of = finding.evidence;
            const bool here = json::find_string(of, "interface") == question.interface &&
                              json::find_string(of, "family") == to_string(question.family);
            if (here || of.empty()) return finding.message;
        }
        return {};
    }

    const World& world_;
    AllowWanted wanted_;
    std::map<std::uint8_t, AllowPlan> plans_;  // by protocol
};

// `names`: of those that there are, each after a space.
std::string no_interface(const std::string& wanted, const std::string& names) {
    return "--interface: there is no " + printable(wanted) +
           (names.empty() ? "; none is told" : "; there are:" + printable(names, 400));
}

boost::system::result<std::vector<Entrance>, BadRequest> entrances_of(const World& world,
                                                                      const CheckRequest& request) {
    if (!request.interface) return find_entrances(world);
    const net::Interface* chosen = world.find_interface(*request.interface);
    if (chosen == nullptr) {
        std::string names;
        for (const net::Interface& interface : world.interfaces) names += ' ' + interface.name;
        return BadRequest{no_interface(*request.interface, names)};
    }
    std::vector<Entrance> entrances;
    for (const net::InterfaceAddress& own : chosen->addresses) {
        const bool known =
            std::any_of(entrances.begin(), entrances.end(), [&](const Entrance& entrance) {
                return entrance.address.family() == own.address.family();
            });
        const bool wanting = !own.address.is_v4() && barred_address(*chosen) != nullptr;
        if (own.usable && !known && !wanting) entrances.push_back({chosen->name, own.address});
    }
    return entrances;
}

Checked check_here(const Run& run, const CheckRequest& request) {
    const World world = look_around(run);
    const auto entrances = entrances_of(world, request);
    if (!entrances) return entrances.error();
    const std::vector<Asked> all = ask_inbound(world, *entrances, request.inquiry);
    const Listeners listeners = read_listeners(world, all, Clock::now() + time_for_listeners);
    CheckReport report;
    RemedyHere remedy(world, request);
    for (const Asked& asked : all) {
        report.lines.push_back({asked, find_listener(world, listeners, asked), {}});
        remedy.find(report.lines.back());
    }
    note_barred(world, request, report);
    note_absent_families(request, report);
    if (!world.unseen.empty()) {
        Judgement blind;
        become_blind(world, "sudo p2pdiag firewall check", blind);
        report.notes.push_back(blind.summary);
    }
    return report;
}

CheckReport check_linux(const World& world, const std::string& if_whole,
                        const CheckRequest& request) {
    const std::string& link = world.interfaces.front().name;
    const std::vector<Entrance> entrances = {{link, IpAddress()}, {link, IpAddress::v6({})}};
    CheckReport report;
    for (Asked& asked : ask_inbound(world, entrances, request.inquiry)) {
        Verdict& verdict = asked.verdict;
        if (verdict.kind == VerdictKind::accept && !if_whole.empty()) verdict.why += ' ' + if_whole;
        report.lines.push_back({std::move(asked), std::nullopt, {}});
    }
    return report;
}

Checked check_foreign(const ForeignRuleset& rules, const CheckRequest& request) {
    std::vector<Entrance> entrances;
    bool has_interface = !request.interface;
    std::string names;
    for (const ForeignEntrance& entrance : find_entrances(rules)) {
        names += entrance.interface.empty() ? "" : ' ' + entrance.interface;
        // Where the file names no link, the name is the person's to tell.
        const std::string link =
            entrance.interface.empty() ? request.interface.value_or("") : entrance.interface;
        if (request.interface && *request.interface != link) continue;
        has_interface = true;
        entrances.push_back({link, entrance.address});
    }
    if (!has_interface) return BadRequest{no_interface(*request.interface, names)};
    CheckReport report;
    for (Asked& asked : ask_foreign(rules, entrances, request.inquiry, request.program)) {
        auto lines = remedy(rules, asked.question, asked.verdict, request.program);
        report.lines.push_back({std::move(asked), std::nullopt, std::move(lines)});
    }
    return report;
}

Checked check_files(const CheckRequest& request) {
    std::vector<RulesetFile> files;
    for (const std::string& name : request.files) {
        auto file = read_ruleset_file(name);
        if (!file) return BadRequest{file.error().message};
        files.push_back(std::move(*file));
    }
    const auto offline = read_offline(files, request.interface.value_or(""));
    if (!offline) return BadRequest{offline.error().message};
    const auto* foreign = std::get_if<ForeignRuleset>(&offline->machine);
    Checked report =
        foreign != nullptr
            ? check_foreign(*foreign, request)
            : Checked(check_linux(std::get<World>(offline->machine), offline->if_whole, request));
    if (report)
        report->notes.insert(report->notes.begin(), offline->notes.begin(), offline->notes.end());
    return report;
}

// In the form that the host has for its own: one document, also on failure.
int refuse(const BadRequest& bad, bool as_json) {
    std::cerr << "p2pdiag: " << bad.message << '\n';
    if (as_json) {
        const json::object error{{"exit_code", exit_usage}, {"message", bad.message}};
        std::cout << json::to_pretty_text(
            json::object{{"format_version", "1.0"}, {"error", error}});
    }
    return exit_usage;
}

}  // namespace

int check_command(Run& run) {
    const auto parsed = json::parse(run.input());
    if (!parsed || !parsed->is_object()) return 4;
    const auto request = read_check_request(parsed->get_object());
    const Checked report = !request                 ? Checked(request.error())
                           : request->files.empty() ? check_here(run, *request)
                                                    : check_files(*request);
    if (!report) return refuse(report.error(), wants_json(parsed->get_object()));
    if (request->as_json) {
        std::cout << json::to_pretty_text(to_json(*report, request->trace));
    } else {
        std::cout << to_text(*report, request->trace) << std::flush;
        for (const std::string& note : report->notes) std::cerr << "p2pdiag: " << note << '\n';
    }
    return exit_code(*report);
}

}  // namespace p2pdiag::firewall
