#include "readers.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/file.hpp"
#include "base/text.hpp"
#include "iptables_save.hpp"
#include "net/routing_tables.hpp"
#include "nft_json.hpp"
#include "nft_pieces.hpp"
#include "panic.hpp"

namespace p2pdiag::firewall {

namespace {

// Why a program gave no ruleset, in a few words.
std::string why_no_answer(const std::string& program, const Answer& answer) {
    return is_denied(answer) ? "only root may read it" : why_failed(program, answer);
}

Unseen::Cause cause_of(const Answer& answer) {
    if (answer.kind == Answer::Kind::interrupted) return Unseen::Cause::interrupted;
    return is_denied(answer) ? Unseen::Cause::rights : Unseen::Cause::other;
}

// The kernel's view is that of the machine only in the first user namespace: in another, nft may
// see an empty ruleset of a network of its own.
bool in_first_user_namespace(const Sight& sight) {
    const FileText map = sight.read_file("/proc/self/uid_map");
    return map.error == 0 && map.text.find("4294967295") != std::string::npos;
}

class RulesetReader {
public:
    RulesetReader(const Sight& sight, World& world) : sight_(sight), world_(world) {}

    void run() {
        read_nft();
        read_legacy(Family::ipv4);
        read_legacy(Family::ipv6);
    }

private:
    void unseen(std::string what, std::string why, Unseen::Cause cause = Unseen::Cause::other) {
        world_.unseen.push_back({std::move(what), std::move(why), std::nullopt, cause});
    }

    void unanswered(std::string what, const std::string& program, const Answer& answer) {
        unseen(std::move(what), why_no_answer(program, answer), cause_of(answer));
    }

    void read_nft() {
        const std::string what = "the nftables rules";
        Answer answer;
        Reading reading = list_nft(sight_, answer);
        if (answer.kind == Answer::Kind::missing && has_no_nftables()) return;
        if (!answer.good()) return unanswered(what, "nft", answer);
        if (!reading) return unseen(what, reading.error().message);
        settle(*reading);
        restore_iptables(*reading);
        if (reading->tables.empty() && !in_first_user_namespace(sight_)) {
            unseen(what,
                   "the answer is empty, but this is a user namespace, which may see a network of "
                   "its own only");
        }
        world_.rulesets.push_back(std::move(*reading));
    }

    // A kernel that says it has no nf_tables, neither as a module nor built in.
    bool has_no_nftables() const {
        const FileText release = sight_.read_file("/proc/sys/kernel/osrelease");
        const std::string name = release.text.substr(0, release.text.find('\n'));
        const FileText builtin = sight_.read_file("/lib/modules/" + name + "/modules.builtin");
        const FileText modules = sight_.read_file("/proc/modules");
        if (release.error != 0 || builtin.error != 0 || modules.error != 0) return false;
        return builtin.text.find("/nf_tables.ko") == std::string::npos &&
               modules.text.find("nf_tables ") == std::string::npos;
    }

    // What nft 1.0.6 leaves out of its JSON stands in its text.
    void settle(Ruleset& ruleset) {
        const bool dormant =
            std::any_of(ruleset.tables.begin(), ruleset.tables.end(),
                        [](const Table& table) { return table.maybe_dormant || table.dormant; });
        const bool homeless =
            std::any_of(ruleset.chains.begin(), ruleset.chains.end(), [](const Chain& chain) {
                const bool outer = chain.hook == Hook::ingress || chain.hook == Hook::egress;
                return chain.is_base && outer && chain.devices.empty();
            });
        if (!dormant && !homeless) return;
        const Answer text = sight_.run({"nft", "list", "ruleset"});
        // Without it they stay open, and so does every verdict that they bear on.
        if (!text.good()) return;
        settle_dormant(ruleset, text.output);
        settle_devices(ruleset, text.output);
    }

    static bool needs_iptables(const Ruleset& ruleset, TableFamily family) {
        return std::any_of(ruleset.chains.begin(), ruleset.chains.end(), [&](const Chain& chain) {
            return ruleset.tables[chain.table].family == family &&
                   std::any_of(chain.rules.begin(), chain.rules.end(), has_lost);
        });
    }

    // nft's JSON has only the names of what iptables' own modules match and do.
    void restore_iptables(Ruleset& ruleset) {
        for (const Family family : {Family::ipv4, Family::ipv6}) {
            const bool v4 = family == Family::ipv4;
            if (!needs_iptables(ruleset, v4 ? TableFamily::ip : TableFamily::ip6)) continue;
            const Answer saved = sight_.run({v4 ? "iptables-nft-save" : "ip6tables-nft-save"});
            // Without it they stay unknown.
            if (!saved.good()) continue;
            Reading reading = read_iptables_save(saved.output, family, Source::iptables_nft);
            if (reading) replace_tables(ruleset, std::move(*reading));
        }
    }

    // Asked only where the kernel lists tables: iptables-legacy would make those that it is asked
    // for.
    void read_legacy(Family family) {
        const bool v4 = family == Family::ipv4;
        const std::string program = v4 ? "iptables-legacy-save" : "ip6tables-legacy-save";
        const std::string what = v4 ? "rules of iptables-legacy" : "rules of ip6tables-legacy";
        const std::string list = v4 ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names";
        const FileText names = sight_.read_file(list);
        if (names.error == ENOENT) return;
        if (names.error == EACCES || names.error == EPERM) {
            return unseen(what, "only root may read whether there are any", Unseen::Cause::rights);
        }
        if (names.error != 0) return unseen(what, list + ": " + std::strerror(names.error));
        if (names.text.empty()) return;
        const Answer saved = run_legacy(program, v4 ? "iptables" : "ip6tables");
        if (!saved.good()) return unanswered(what, program, saved);
        Reading reading = read_iptables_save(saved.output, family, Source::iptables_legacy);
        if (!reading) return unseen(what, reading.error().message);
        world_.rulesets.push_back(std::move(*reading));
    }

    // Before there were two kinds, the legacy one had no name of its own.
    Answer run_legacy(const std::string& program, const std::string& old_name) {
        Answer saved = sight_.run({program});
        if (saved.kind != Answer::Kind::missing) return saved;
        const Answer version = sight_.run({old_name, "--version"});
        const bool old = version.good() && version.output.find("nf_tables") == std::string::npos;
        return old ? sight_.run({old_name + "-save"}) : saved;
    }

    const Sight& sight_;
    World& world_;
};

std::optional<unsigned> read_number(const Sight& sight, const std::string& path) {
    const FileText file = sight.read_file(path);
    unsigned number = 0;
    const auto end = file.text.data() + file.text.size();
    const auto [stop, error] = std::from_chars(file.text.data(), end, number);
    if (file.error != 0 || error != std::errc() || (stop != end && *stop != '\n'))
        return std::nullopt;
    return number;
}

}  // namespace

FileText read_small_file(const std::string& path) {
    Result<std::string> text = read_file(path, max_small_file);
    return text ? FileText{0, std::move(*text)} : FileText{text.error().value(), {}};
}

Sight sight_of_this_machine(std::chrono::steady_clock::time_point deadline, int cancel_fd) {
    Sight sight;
    sight.run = [=](const std::vector<std::string>& argv) {
        return run_command(argv, deadline, cancel_fd);
    };
    sight.read_file = read_small_file;
    return sight;
}

void read_rulesets(const Sight& sight, World& world) {
    RulesetReader(sight, world).run();
    read_panic(sight, world);
}

void read_sysctls(const Sight& sight, World& world) {
    const std::string v4 = "/proc/sys/net/ipv4/conf/";
    world.sysctls.rp_filter_all = read_number(sight, v4 + "all/rp_filter");
    const auto all_ignore = read_number(sight, v4 + "all/arp_ignore");
    const auto all_arp_filter = read_number(sight, v4 + "all/arp_filter");
    const auto all_counts_mark = read_number(sight, v4 + "all/src_valid_mark");
    for (const net::Interface& interface : world.interfaces) {
        // A name with a slash or dots would lead elsewhere; the kernel refuses them.
        const auto filter = read_number(sight, v4 + interface.name + "/rp_filter");
        if (filter) world.sysctls.rp_filter[interface.name] = *filter;
        const auto counts_mark = read_number(sight, v4 + interface.name + "/src_valid_mark");
        if (counts_mark && all_counts_mark)
            world.sysctls.src_valid_mark[interface.name] = *counts_mark + *all_counts_mark != 0;
        const auto ignore = read_number(sight, v4 + interface.name + "/arp_ignore");
        if (ignore)
            world.sysctls.arp_ignore[interface.name] = std::max(*ignore, all_ignore.value_or(0));
        const auto arp_filter = read_number(sight, v4 + interface.name + "/arp_filter");
        if (arp_filter)
            world.sysctls.arp_filter[interface.name] =
                *arp_filter != 0 || all_arp_filter.value_or(0) != 0;
    }
    const auto flag = [&](const std::string& path) -> std::optional<bool> {
        const auto number = read_number(sight, path);
        if (!number) return std::nullopt;
        return *number != 0;
    };
    world.sysctls.ipv4_forwarding = flag(v4 + "all/forwarding");
    world.sysctls.ipv6_forwarding = flag("/proc/sys/net/ipv6/conf/all/forwarding");
}

void read_links(World& world) {
    auto interfaces = net::interfaces();
    if (interfaces) {
        world.interfaces = std::move(*interfaces);
    } else {
        world.unseen.push_back({"the network interfaces", interfaces.error().message()});
    }
    const auto tables = net::routing_tables();
    if (!tables) {
        world.rules_v4.reset();
        world.rules_v6.reset();
        return;
    }
    world.rules_v4 = tables->rules_v4;
    world.rules_v6 = tables->rules_v6;
    if (!tables->routes) return;
    world.local_table_read = true;
    world.routes = *tables->routes;
}

void read_ipsec(World& world) {
    auto policies = net::ipsec_policies();
    if (policies) {
        world.ipsec = std::move(*policies);
        return;
    }
    if (!world.unseen.empty()) return;
    const bool denied = policies.error() == boost::system::errc::operation_not_permitted;
    world.unseen.push_back({"the policies of IPsec",
                            denied ? "only root may read them" : policies.error().message(),
                            std::nullopt, denied ? Unseen::Cause::rights : Unseen::Cause::other});
}

World read_world(const Sight& sight) {
    World world;
    read_links(world);
    read_sysctls(sight, world);
    read_rulesets(sight, world);
    read_ipsec(world);
    return world;
}

}  // namespace p2pdiag::firewall
