#include "offline.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/text.hpp"
#include "iptables_save.hpp"

namespace p2pdiag::firewall {

namespace {

using Problem = ReadError;

Problem problem_of(const RulesetFile& file, const std::string& what) {
    return {printable(file.name, 300) + ": " + what};
}

// iptables-save of the nft kind says so in its first line.
Source source_of(std::string_view saved) {
    const std::string_view head = saved.substr(0, saved.find('\n'));
    return head.find("(nf_tables)") == std::string_view::npos ? Source::iptables_legacy
                                                              : Source::iptables_nft;
}

class FileReader {
public:
    explicit FileReader(const std::string& interface) {
        net::Interface link;
        link.name = interface;
        link.index = 1;
        link.up = link.carrier = true;
        world_.interfaces.push_back(std::move(link));
        // Not in any ruleset; what the file alone says is asked for.
        world_.sysctls.rp_filter[interface] = 0;
        world_.sysctls.ipv4_forwarding.reset();
        world_.sysctls.ipv6_forwarding.reset();
    }

    std::optional<Problem> take(const RulesetFile& file, RulesetFormat format) {
        if (format == RulesetFormat::nft_json) {
            Reading reading = read_nft_json(file.text);
            if (!reading) return problem_of(file, reading.error().message);
            nft_ = true;
            doubt(*reading);
            world_.rulesets.push_back(std::move(*reading));
            return std::nullopt;
        }
        for (const SavedTables& saved : split_saves(file.text)) {
            if (auto problem = take_saved(file, saved)) return problem;
        }
        return std::nullopt;
    }

    Offline finish() {
        for (Ruleset& saved : saved_) {
            if (saved.source == Source::iptables_nft && nft_) {
                replace_tables(world_.rulesets.front(), std::move(saved));
            } else {
                world_.rulesets.push_back(std::move(saved));
            }
        }
        Offline offline;
        offline.notes.emplace_back(
            "Only the rules of the files are judged: that machine's routes, its reverse path "
            "filter and the programs that listen there are not known, nor any rules that the files "
            "leave out (`nft list table`, `nft -t`, `iptables-save -t`).");
        if (nft_) {
            if (saved_.empty()) {
                offline.notes.emplace_back(
                    "Rules of iptables-legacy are not in what nft prints. If that machine has any "
                    "(/proc/net/ip_tables_names or ip6_tables_names lists tables), give the output "
                    "of "
                    "iptables-legacy-save or ip6tables-legacy-save too, of those that print "
                    "anything.");
            }
        } else {
            note_missing(offline);
        }
        offline.machine = std::move(world_);
        return offline;
    }

private:
    // What other listings than `nft -j list ruleset` leave out: `list tables` the chains, and `-t`
    // what is in sets.
    void doubt(Ruleset& rules) {
        if (!rules.tables.empty() && rules.chains.empty()) {
            world_.unseen.push_back({"the chains of its tables", "the file names none"});
        }
        const auto is_filled = [](const Set& set) {
            return set.table != no_index && set.size() > 0;
        };
        if (std::any_of(rules.sets.begin(), rules.sets.end(), is_filled)) return;
        for (Set& set : rules.sets) {
            if (set.table != no_index) set.has_unread = true;
        }
    }

    std::optional<Problem> take_saved(const RulesetFile& file, const SavedTables& saved) {
        if (!saved.family) {
            return problem_of(file,
                              "it does not tell whether it is of IPv4 or IPv6: keep the first line "
                              "that iptables-save or ip6tables-save prints");
        }
        Reading reading = read_iptables_save(saved.text, *saved.family, source_of(saved.text));
        if (!reading) return problem_of(file, reading.error().message);
        (*saved.family == Family::ipv4 ? v4_ : v6_) = true;
        of_nf_tables_ = of_nf_tables_ || source_of(saved.text) == Source::iptables_nft;
        saved_.push_back(std::move(*reading));
        return std::nullopt;
    }

    // iptables-save shows its own tables of its own family, and no nft rules beside them.
    void note_missing(Offline& offline) {
        offline.notes.emplace_back(
            "Rules that nft made are not in what iptables-save prints: give the output of `nft -j "
            "list ruleset` too, if that machine has nft.");
        const std::string why = "it is not among the files";
        // A machine that has nft for iptables may have rules by nft itself.
        if (of_nf_tables_) world_.unseen.push_back({"the output of nft -j list ruleset", why});
        if (!v4_) world_.unseen.push_back({"the output of iptables-save", why, Family::ipv4});
        if (!v6_) world_.unseen.push_back({"the output of ip6tables-save", why, Family::ipv6});
    }

    World world_;
    std::vector<Ruleset> saved_;
    bool nft_ = false;
    bool v4_ = false;
    bool v6_ = false;
    bool of_nf_tables_ = false;  // a file that iptables-nft-save wrote
};

bool is_foreign(RulesetFormat format) {
    return format == RulesetFormat::windows || format == RulesetFormat::macos;
}

}  // namespace

boost::system::result<RulesetFile, ReadError> read_ruleset_file(const std::string& name) {
    const auto close = [](std::FILE* file) {
        if (file != nullptr && file != stdin) std::fclose(file);
    };
    const std::unique_ptr<std::FILE, decltype(close)> file(
        name == "-" ? stdin : std::fopen(name.c_str(), "re"), close);
    RulesetFile read{name, {}};
    if (!file) return problem_of(read, std::strerror(errno));
    std::string bytes;
    char chunk[65536];
    while (const std::size_t count = std::fread(chunk, 1, sizeof chunk, file.get())) {
        bytes.append(chunk, count);
        if (bytes.size() > max_ruleset_text)
            return problem_of(read, "it is larger than the 64 MiB that a ruleset may have");
    }
    if (std::ferror(file.get()) != 0) return problem_of(read, std::strerror(errno));
    read.text = decode_file(bytes);
    return read;
}

boost::system::result<Offline, ReadError> read_offline(const std::vector<RulesetFile>& files,
                                                       const std::string& interface) {
    FileReader reader(interface);
    for (const RulesetFile& file : files) {
        const Recognised recognised = recognise(file.text);
        if (recognised.format == RulesetFormat::unreadable)
            return problem_of(file, recognised.advice);
        if (is_foreign(recognised.format)) {
            if (files.size() > 1) {
                return problem_of(file,
                                  "the rules of a Windows or macOS machine are one file by itself");
            }
            ForeignReading foreign = read_foreign(file.text);
            if (!foreign) return problem_of(file, foreign.error().message);
            return Offline{std::move(*foreign), {}};
        }
        if (auto problem = reader.take(file, recognised.format)) return *problem;
    }
    return reader.finish();
}

}  // namespace p2pdiag::firewall
