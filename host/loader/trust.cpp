#include "loader/trust.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <system_error>

namespace p2pdiag::loader {

namespace fs = std::filesystem;

namespace {

// Those who can replace this executable decide already what we run: its owner, and whoever may
// write to a folder above it (on Debian, /usr/local/bin belongs to a group). In a user namespace
// that has no number for root, root is among them as the owner of "/".
struct Trusted {
    std::set<uid_t> owners{0, ::geteuid()};
    std::set<uid_t> above;  // only of folders
    std::set<gid_t> groups{0};
};

Trusted find_trusted() {
    Trusted trusted;
    struct stat info {};
    if (::stat("/proc/self/exe", &info) == 0) trusted.owners.insert(info.st_uid);
    trusted.above = trusted.owners;
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    for (fs::path part = self; !part.empty() && ::stat(part.c_str(), &info) == 0;
         part = part.parent_path()) {
        trusted.above.insert(info.st_uid);
        if ((info.st_mode & S_IWGRP) != 0) trusted.groups.insert(info.st_gid);
        if (part == part.parent_path()) break;
    }
    return trusted;
}

const Trusted& trusted() {
    static const Trusted found = find_trusted();
    return found;
}

// A group of one is its owner's own; any other group is other people.
bool foreign_group_writes(const struct stat& info) {
    return (info.st_mode & S_IWGRP) != 0 && info.st_gid != info.st_uid &&
           !trusted().groups.contains(info.st_gid);
}

std::string group(const struct stat& info) { return "the group " + std::to_string(info.st_gid); }

// Who can write to a folder above can put another one in this one's place; the sticky bit leaves
// that to the folder's owner.
std::string distrust_above(const fs::path& folder) {
    struct stat info {};
    if (::stat(folder.c_str(), &info) != 0) return {};
    const bool sticky = (info.st_mode & S_ISVTX) != 0;
    std::string who;
    if ((info.st_mode & S_IWOTH) != 0 && !sticky) {
        who = "every user of this machine can write to ";
    } else if (foreign_group_writes(info) && !sticky) {
        who = group(info) + " can write to ";
    } else if (!trusted().above.contains(info.st_uid)) {
        who = "user " + std::to_string(info.st_uid) + " owns ";
    }
    return who.empty() ? who : "refused: " + who + folder.native();
}

}  // namespace

std::optional<std::string> distrust(const fs::path& path) {
    for (fs::path above = path.parent_path(); !above.empty(); above = above.parent_path()) {
        if (std::string why = distrust_above(above); !why.empty()) return why;
        if (above == above.parent_path()) break;
    }
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return "cannot be read";
    if ((info.st_mode & S_IWOTH) != 0) {
        return "refused: every user of this machine can write to it (chmod o-w)";
    }
    if (foreign_group_writes(info)) {
        return "refused: " + group(info) + " can write to it (chmod g-w)";
    }
    if (trusted().owners.contains(info.st_uid)) return std::nullopt;
    return "refused: it belongs to user " + std::to_string(info.st_uid) +
           ", who is neither you nor root nor the owner of p2pdiag";
}

}  // namespace p2pdiag::loader
