#include "offline.hpp"

#include <sys/stat.h>

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

bool is_empty(const RulesetFile& file) {
    return file.text.find_first_not_of(" \t\r\n") == std::string::npos;
}

bool has_filter(const Ruleset& rules) {
    return std::any_of(rules.chains.begin(), rules.chains.end(), [](const Chain& chain) {
        return chain.is_base && chain.type == ChainType::filter;
    });
}

bool has_table(const Ruleset& rules, std::string_view name) {
    return std::any_of(rules.tables.begin(), rules.tables.end(),
                       [&](const Table& table) { return table.name == name; });
}

std::string_view program_of(Family family) {
    return family == Family::ipv4 ? "iptables" : "ip6tables";
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
            // With which nft begins whatever there is, and nothing.
            const bool begun = file.text.find("\"metainfo\"") != file.text.npos;
            if (!begun && reading->tables.empty())
                unseen("what " + printable(file.name, 300) + " should hold",
                       "it is no whole answer of nft, which begins with \"metainfo\"");
            doubt(*reading);
            world_.rulesets.push_back(std::move(*reading));
            return std::nullopt;
        }
        const auto says = [&](std::string_view text) { return file.text.find(text) != text.npos; };
        warned_v4_ = warned_v4_ || says("# Warning: iptables-legacy tables present");
        warned_v6_ = warned_v6_ || says("# Warning: ip6tables-legacy tables present");
        for (const SavedTables& saved : split_saves(file.text)) {
            if (auto problem = take_saved(file, saved)) return problem;
        }
        return std::nullopt;
    }

    // iptables-legacy-save prints nothing where there is no table, and where it may not look.
    void take_empty(const RulesetFile& file) { empty_.push_back(printable(file.name, 300)); }

    Offline finish() {
        for (const Family family : {Family::ipv4, Family::ipv6}) doubt_legacy(family);
        doubt_nft();
        doubt_nothing();
        doubt_empty();
        Offline offline;
        offline.if_whole = if_whole();
        for (Saved& saved : saved_) {
            if (saved.rules.source == Source::iptables_nft && nft_) {
                replace_tables(world_.rulesets.front(), std::move(saved.rules));
            } else {
                world_.rulesets.push_back(std::move(saved.rules));
            }
        }
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
    // One run of iptables-save or ip6tables-save.
    struct Saved {
        Family family = Family::ipv4;
        Ruleset rules;
    };

    void unseen(std::string what, std::string why, std::optional<Family> family = std::nullopt) {
        world_.unseen.push_back({std::move(what), std::move(why), family});
    }

    // What other listings than `nft -j list ruleset` leave out: `list tables` the chains, `list
    // chain` what is beside it, and `-t` what is in sets.
    void doubt(Ruleset& rules) {
        if (!rules.tables.empty() && rules.chains.empty())
            unseen("the chains of its tables", "the file names none");
        const auto cut_out = std::find_if(rules.tables.begin(), rules.tables.end(),
                                          [](const Table& table) { return table.unlisted; });
        if (cut_out != rules.tables.end()) {
            unseen("what else is in the table " + cut_out->title() + " and beside it",
                   "the file has parts of it, as what `nft list chain` prints");
        }
        const auto is_filled = [](const Set& set) {
            return set.table != no_index && set.size() > 0;
        };
        if (std::any_of(rules.sets.begin(), rules.sets.end(), is_filled)) return;
        for (Set& set : rules.sets) {
            if (set.table != no_index) set.has_unread = true;
        }
    }

    bool has_legacy(Family family) const {
        return std::any_of(saved_.begin(), saved_.end(), [&](const Saved& saved) {
            return saved.family == family && saved.rules.source == Source::iptables_legacy;
        });
    }

    // `iptables-save -t nat` leaves out what filters. iptables-nft says where the other kind has
    // rules.
    void doubt_legacy(Family family) {
        const std::string program(program_of(family));
        if (!has_legacy(family)) {
            if (warned(family)) {
                unseen("rules of " + program + "-legacy", "a file says that there are some",
                       family);
            }
            return;
        }
        const bool any = std::any_of(saved_.begin(), saved_.end(), [&](const Saved& saved) {
            return saved.family == family && has_table(saved.rules, "filter");
        });
        if (!any) {
            unseen("the table filter of " + program,
                   "the file leaves it out, as what `" + program + "-save -t` prints", family);
        }
    }

    // `nft list table` of one that translates addresses leaves out those that filter.
    void doubt_nft() {
        const auto& all = world_.rulesets;
        const bool any_table = std::any_of(
            all.begin(), all.end(), [](const Ruleset& rules) { return !rules.chains.empty(); });
        if (any_table && std::none_of(all.begin(), all.end(), has_filter)) {
            unseen("the tables that filter",
                   "the files have none, as what `nft list table` prints of another one");
        }
    }

    // Whoever may not see the tables of a machine is told by nft that there are none.
    void doubt_nothing() {
        if (!nft_ || !saved_.empty()) return;
        const auto& all = world_.rulesets;
        if (std::ranges::all_of(all, [](const Ruleset& rules) { return rules.tables.empty(); }))
            unseen("its rules",
                   "nft names no table: either there is none, or it was asked in a "
                   "container or a user namespace, where it sees none");
    }

    // Of which family an empty file is, it does not say: of one that no other file tells of.
    void doubt_empty() {
        for (const std::string& name : empty_) {
            const std::string what = "what " + name + " should hold";
            const std::string why =
                "it is empty: the command that wrote it had nothing to say, no rights, or failed";
            if (v4_ && v6_) unseen(what, why);
            if (!v4_) unseen(what, why, Family::ipv4);
            if (!v6_) unseen(what, why, Family::ipv6);
        }
    }

    bool warned(Family family) const { return family == Family::ipv4 ? warned_v4_ : warned_v6_; }

    // A listing of one table looks the same whether there are others or not. Before what
    // iptables-save printed is put beside what nft printed.
    std::string if_whole() const {
        std::size_t tables = 0;
        for (const Ruleset& rules : world_.rulesets) tables += rules.tables.size();
        const bool one_of_nft = tables == 1;
        const bool one_saved = std::any_of(saved_.begin(), saved_.end(), [&](const Saved& saved) {
            return saved.rules.source == Source::iptables_legacy && saved.rules.tables.size() == 1;
        });
        if (!one_of_nft && !one_saved) return {};
        return std::string("That holds if the file is all that ") +
               (one_of_nft ? "`nft -j list ruleset`" : "iptables-save") +
               " prints there, and not one table of several.";
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
        saved_.push_back({*saved.family, std::move(*reading)});
        return std::nullopt;
    }

    // iptables-save shows its own tables of its own family, and no nft rules beside them.
    void note_missing(Offline& offline) {
        offline.notes.emplace_back(
            "Rules that nft made are not in what iptables-save prints: give the output of `nft -j "
            "list ruleset` too, if that machine has nft.");
        const std::string why = "it is not among the files";
        // A machine that has nft for iptables may have rules by nft itself.
        if (of_nf_tables_) unseen("the output of nft -j list ruleset", why);
        if (!empty_.empty()) return;
        if (!v4_) unseen("the output of iptables-save", why, Family::ipv4);
        if (!v6_) unseen("the output of ip6tables-save", why, Family::ipv6);
    }

    World world_;
    std::vector<Saved> saved_;
    std::vector<std::string> empty_;  // the names of files without a word
    bool nft_ = false;
    bool v4_ = false;
    bool v6_ = false;
    bool of_nf_tables_ = false;  // a file that iptables-nft-save wrote
    bool warned_v4_ = false;     // by iptables-nft, of rules of iptables-legacy
    bool warned_v6_ = false;
};

// Of a regular file, as far as it may be read; 0 of others.
std::size_t size_of(std::FILE* file) {
    struct stat info {};
    if (::fstat(::fileno(file), &info) != 0 || !S_ISREG(info.st_mode)) return 0;
    const auto size = static_cast<std::size_t>(std::max<off_t>(info.st_size, 0));
    return std::min(size, max_ruleset_text) + 1;
}

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
    bytes.reserve(size_of(file.get()));
    char chunk[65536];
    while (const std::size_t count = std::fread(chunk, 1, sizeof chunk, file.get())) {
        bytes.append(chunk, count);
        if (bytes.size() > max_ruleset_text)
            return problem_of(read, "it is larger than the 64 MiB that a ruleset may have");
    }
    if (std::ferror(file.get()) != 0) return problem_of(read, std::strerror(errno));
    read.text = decode_file(std::move(bytes));
    return read;
}

boost::system::result<Offline, ReadError> read_offline(const std::vector<RulesetFile>& files,
                                                       const std::string& interface) {
    FileReader reader(interface);
    const bool all_empty = std::all_of(files.begin(), files.end(), is_empty);
    for (const RulesetFile& file : files) {
        if (is_empty(file) && !all_empty) {
            reader.take_empty(file);
            continue;
        }
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
