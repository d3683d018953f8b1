#include "allow_file.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "allow_file_edit.hpp"
#include "allow_file_write.hpp"
#include "base/fd.hpp"
#include "iptables_save.hpp"
#include "nft_pieces.hpp"

namespace p2pdiag::firewall {

namespace {

constexpr const char* nft_file = "/etc/nftables.conf";
constexpr const char* v4_file = "/etc/iptables/rules.v4";
constexpr const char* v6_file = "/etc/iptables/rules.v6";
constexpr const char* units = "/etc/systemd/system/";
constexpr const char* nft_unit = "sysinit.target.wants/nftables.service";
constexpr const char* iptables_unit = "multi-user.target.wants/netfilter-persistent.service";

// Runs it where no interface and no rule is: what it loads is in force there alone, and gone with
// it.
Trouble in_empty_network(const std::function<void()>& work) {
    int error = 0;
    std::thread([&] {
        if (::unshare(CLONE_NEWNET) != 0)
            error = errno;
        else
            work();
    }).join();
    return error == 0 ? Trouble() : Trouble("no network of its own: ") + std::strerror(error);
}

Trouble load_nft(const std::string& path, const Sight& sight, Ruleset& rules) {
    Trouble trouble;
    const Trouble none = in_empty_network([&] {
        const Answer loaded = sight.run({"nft", "-f", path});
        const std::string not_loaded = path + " does not load in an empty network: ";
        if (!loaded.good()) {
            trouble = not_loaded + why_failed("nft", loaded);
            return;
        }
        Answer listed;
        Reading reading = list_nft(sight, listed);
        if (reading)
            rules = std::move(*reading);
        else
            trouble = (listed.good() ? "" : not_loaded) + reading.error().message;
    });
    return none.empty() ? trouble : none;
}

std::string restore_program(const AllowStep& step) {
    return step.place.family == "ip6" ? "ip6tables-restore" : "iptables-restore";
}

Trouble check_iptables(const AllowStep& step, const std::string& path, const Sight& sight) {
    Answer answer;
    const Trouble none = in_empty_network([&] {
        answer = sight.run({restore_program(step), "--test", path});
    });
    if (!none.empty()) return none;
    return answer.good() ? Trouble() : why_failed(restore_program(step), answer);
}

Trouble read_text(const AllowStep& step, std::string& text) {
    const FileText file = read_small_file(step.file);
    if (file.error != 0) return step.file + ": " + std::strerror(file.error);
    text = file.text;
    return {};
}

Trouble load(const AllowStep& step, const std::string& path, const Sight& sight, Ruleset& rules) {
    if (step.tool == Tool::nft) return load_nft(path, sight, rules);
    const FileText file = read_small_file(path);
    if (file.error != 0) return path + ": " + std::strerror(file.error);
    const Family family = step.place.family == "ip6" ? Family::ipv6 : Family::ipv4;
    Reading reading = read_iptables_save(file.text, family, Source::iptables_nft);
    if (!reading) return path + ": " + reading.error().message;
    rules = std::move(*reading);
    return {};
}

Trouble edit(const AllowStep& step, const std::string& text, std::string_view id,
             std::string& edited) {
    Edited made =
        step.tool == Tool::nft ? add_nft_line(text, step, id) : add_iptables_line(text, step, id);
    if (!made) return step.file + " does not say there what is in force now";
    edited = std::move(*made);
    return {};
}

// The edited text says what it is meant to say, and to the program that will load it.
Trouble check_edited(const AllowStep& step, const std::string& id, const std::string& path,
                     const Sight& sight) {
    Ruleset before;
    Ruleset after;
    Trouble trouble = load(step, step.file, sight, before);
    if (trouble.empty()) trouble = load(step, path, sight, after);
    if (trouble.empty() && step.tool != Tool::nft) trouble = check_iptables(step, path, sight);
    if (!trouble.empty()) return trouble;
    return is_exact_insertion(before, after, step, id)
               ? Trouble()
               : step.file + " would load other rules than what is meant";
}

// Somewhere else, for as long as it lives.
class Draft {
public:
    explicit Draft(std::string_view text) {
        const Fd file(::mkostemp(path_.data(), O_CLOEXEC));
        good_ = file.open() && write_all(file.get(), text);
    }
    ~Draft() { ::unlink(path_.c_str()); }
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;

    bool good() const { return good_; }
    const std::string& path() const { return path_; }

private:
    std::string path_ = "/tmp/p2pdiag-XXXXXX";
    bool good_ = false;
};

Trouble prepare_file(AllowStep& step, const Sight& sight) {
    constexpr const char* id = "check";
    std::string text;
    std::string edited;
    Trouble trouble = distrust_file(step.file);
    if (trouble.empty()) trouble = read_text(step, text);
    if (trouble.empty()) trouble = edit(step, text, id, edited);
    if (!trouble.empty()) return trouble;
    const Draft draft(edited);
    if (!draft.good()) return draft.path() + ": " + std::strerror(errno);
    return check_edited(step, id, draft.path(), sight);
}

Trouble apply_file(Job& job) {
    std::string text;
    std::string edited;
    Trouble trouble = read_text(job.step, text);
    if (trouble.empty()) trouble = edit(job.step, text, job.id, edited);
    if (!trouble.empty()) return trouble;
    job.keep({true, std::nullopt});
    return replace_file(job.step.file, text, edited, [&](const std::string& path) {
        return check_edited(job.step, job.id, path, job.sight);
    });
}

Trouble take_out_of(const std::string& path, const std::string& id, bool& found) {
    remove_leftover(path);
    const FileText file = read_small_file(path);
    if (file.error == ENOENT) return {};
    if (file.error != 0) return path + ": " + std::strerror(file.error);
    const std::string text = remove_lines(file.text, id);
    const bool any = text != file.text;
    found = found || any;
    if (any) {
        const Trouble trouble =
            replace_file(path, file.text, text, [](const std::string&) { return ""; });
        if (!trouble.empty()) return trouble;
    }
    if (text.find(comment_of(id)) == std::string::npos) return {};
    return path + " has the rule still, written differently by somebody: delete the line with \"" +
           comment_of(id) + '"';
}

// After a start of the machine what the file said is in force, too.
Trouble revert_file(const Job& job, bool& found) {
    const Trouble trouble = take_out_of(job.step.file, job.id, found);
    if (!trouble.empty()) return trouble;
    bool loaded = false;
    const Hand& hand = job.step.tool == Tool::nft ? nft_hand : iptables_hand;
    const Trouble still = hand.revert(job, loaded);
    found = found || loaded;
    return still;
}

}  // namespace

const Hand file_hand = {prepare_file, apply_file, revert_file};

Trouble revert_saved(const Job& job, bool& found) {
    for (const char* path : {nft_file, v4_file, v6_file}) {
        const Trouble trouble = take_out_of(path, job.id, found);
        if (!trouble.empty()) return trouble;
    }
    return {};
}

std::string file_for(const AllowStep& step, const Sight& sight, Trouble& why) {
    const bool of_nft = step.tool == Tool::nft;
    const std::string unit = std::string(units) + (of_nft ? nft_unit : iptables_unit);
    if (sight.read_file(unit).error != 0) {
        why = std::string(of_nft ? "nftables.service" : "netfilter-persistent.service") +
              " is not enabled, so it is not known where the rules come from";
        return {};
    }
    if (of_nft) return nft_file;
    const Answer version = sight.run({"iptables", "--version"});
    const bool is_nft = version.output.find("nf_tables") != std::string::npos;
    if (!version.good() || is_nft != (step.tool == Tool::iptables_nft)) {
        why = "netfilter-persistent loads its files by the other kind of iptables";
        return {};
    }
    return step.place.family == "ip6" ? v6_file : v4_file;
}

Trouble read_file_rules(const AllowStep& step, const Sight& sight, Ruleset& rules) {
    return load(step, step.file, sight, rules);
}

bool is_known_file(const std::string& path) {
    return path == nft_file || path == v4_file || path == v6_file;
}

}  // namespace p2pdiag::firewall
